-- The cases of every host, in a headless Neovim.
local process = require "spec.hosts.process"

if rawget(_G, "jit") then
  describe("in Neovim, coreclaw", function()
    process.specs(function()
      return process.results(("NVIM_OUT=/dev/stdout %s nvim --headless -u NONE -i NONE " ..
        "-c 'luafile spec/hosts/nvim.lua'"):format(process.paths "luajit"))
    end)
  end)
end
