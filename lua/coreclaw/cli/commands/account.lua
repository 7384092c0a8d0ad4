--- The account, and what else belongs to no run.

local function account(ctx)
  local data = ctx:check(ctx:client():account())
  ctx.out:record({
    { key = "balance", label = "balance" }, { key = "traffic", label = "traffic" },
    { key = "balance_expiration_at", label = "until", show = function(item)
      local at = item.balance_expiration_at
      return type(at) == "number" and at > 0 and os.date("%Y-%m-%d", at) or nil
    end },
  }, data)
end

local function regions(ctx, options)
  local out = ctx.out:list { { key = "code", label = "region", always = true }, { key = "name", label = "name" } }
  for _, region in ipairs(ctx:check(ctx:client():proxy_regions { language = options.language })) do out.add(region) end
  out.close()
end

return {
  { name = "account", summary = "Show the account's balance", run = account },
  {
    name = "regions", summary = "List the regions for --system proxy_region=…", run = regions,
    options = { { "--language", "Of the names", argname = "CODE" } },
  },
}
