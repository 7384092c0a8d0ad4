std = "min"
max_line_length = 120
files["spec"] = { std = "min+busted" }
files["lua/coreclaw/sandbox"] = { std = "luajit+ngx_lua" }
