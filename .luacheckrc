std = "min"
max_line_length = 120
files["spec"] = {
  std = "min+busted",
  max_line_length = 140, -- tables of cases
  read_globals = { math = { fields = { "type" } }, package = { fields = { "searchpath" } } },
  globals = {
    io = { fields = { "open", "popen" }, other_fields = true },
    package = { fields = { "loaded" }, other_fields = true },
  },
}
files["lua/coreclaw/sandbox"] = { std = "luajit+ngx_lua" }
files["spec/hosts/nvim.lua"] = { read_globals = { "vim" } }
files["lua/coreclaw/types.lua"] = { unused = false } -- signatures only
files["examples/openresty"] = { std = "min+ngx_lua" }
files["examples/nvim"] = { globals = { "vim" } }
files["examples/testing"] = { std = "min+busted" }
files["lua/coreclaw/driver/ngx.lua"] = { std = "min+ngx_lua" }
files["spec/hosts/nginx_site.lua"] = { read_globals = { "ngx" } }
files["coreclaw-*.rockspec"] = { std = "rockspec" }
files["spec/bench/site.lua"] = { std = "min+ngx_lua" }
files["spec/bench/polled.lua"] = { std = "min+ngx_lua" }
files["spec/bench/clients/inside.lua"] = { std = "min+ngx_lua" }
files["spec/bench/clients/cosocket.lua"] = { std = "min+ngx_lua" }
