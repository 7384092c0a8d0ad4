-- Writes log lines at a given pace: `lines` of them, every tenth a warning, every 25th an error.

local function number(name, default)
  return { name = name, title = name, type = "number", editor = "number", default = default }
end

return {
  path = "test/talker",
  title = "Talker",
  version = "v1.0.0",
  schema = { properties = { number("lines", 10), number("delay", 0), number("fail", 0), number("same", 0) } },
  run = function(input, _, log, tools)
    for i = 1, input.lines do
      local text = input.same > 0 and "tick" or "line " .. i
      if i % 25 == 0 then
        log.error(text .. "\nTraceback: it broke")
      elseif i % 10 == 0 then
        log.warn(text)
      else
        log.info(text)
      end
      if input.delay > 0 then tools.sleep(input.delay) end
    end
    if input.fail > 0 then error("the end is bad", 0) end
  end,
}
