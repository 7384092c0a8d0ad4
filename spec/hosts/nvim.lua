-- Started inside of Neovim: all cases, in a task; what they print goes to the file that is named.
local coreclaw = require "coreclaw"
local uv = vim.uv or vim.loop
local out = assert(io.open(os.getenv "NVIM_OUT", "w"))
local ticks, timer = 0, uv.new_timer()

timer:start(5, 5, function() ticks = ticks + 1 end)
coreclaw.spawn(function()
  require "spec.hosts.runner" (function(line)
    vim.api.nvim_buf_set_lines(0, -1, -1, false, { (line:gsub("\n", " ")) }) -- the editor's API, directly
    out:write(line, "\n")
    out:flush()
  end)
  timer:close()
  out:write("ticks\t", ticks, "\n")
  out:close()
  vim.cmd "qa!"
end)
