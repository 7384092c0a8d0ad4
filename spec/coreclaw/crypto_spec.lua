local crypto = require "coreclaw.crypto"

local ONE_TO_25 = ""
for i = 1, 25 do ONE_TO_25 = ONE_TO_25 .. string.char(i) end

-- RFC 4231, the cases for HMAC-SHA-256: key, text, digest. Case 5 is about cut digests.
local VECTORS = {
  { ("\11"):rep(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
  { "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
  { ("\170"):rep(20), ("\221"):rep(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
  { ONE_TO_25, ("\205"):rep(50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
  { ("\170"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
  { ("\170"):rep(131), "This is a test using a larger than block-size key and a larger than block-size data. "
      .. "The key needs to be hashed before being used by the HMAC algorithm.",
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
}

local function check_vectors(library)
  for _, vector in ipairs(VECTORS) do
    assert.equal(vector[3], crypto.hex(library.hmac(vector[1], vector[2])))
  end
end

local function load_all()
  local found = {}
  for _, candidate in ipairs(crypto.libraries) do
    local ok, library = pcall(candidate.load)
    if ok and pcall(library.hmac, "k", "t") then found[candidate.name] = library end
  end
  return found
end

-- The module anew, as in a host with these libraries only.
local function fresh(libraries)
  local kept = package.loaded["coreclaw.crypto"]
  package.loaded["coreclaw.crypto"] = nil
  local other = require "coreclaw.crypto"
  package.loaded["coreclaw.crypto"] = kept
  other.libraries = libraries
  return other
end

describe("crypto", function()
  it("computes the vectors of RFC 4231 with every library there is", function()
    local found = load_all()
    assert.is_truthy(found.luaossl, "luaossl is missing: apt install lua-luaossl")
    if rawget(_G, "jit") then assert.is_truthy(found.libcrypto) end
    for _, library in pairs(found) do check_vectors(library) end
    check_vectors(crypto.find())
  end)

  it("has random bytes from every library", function()
    for _, library in pairs(load_all()) do
      local a, b = crypto.random(library, 16), crypto.random(library, 16)
      assert.equal(16, #a)
      assert.not_equal(a, b)
    end
    assert.equal(16, #crypto.random({}, 16)) -- the system's
    assert.not_equal(crypto.random({}, 16), crypto.random({}, 16))
  end)

  it("refuses a source of random bytes that gives too few", function()
    assert.has_error(function()
      crypto.random({ random = function() return "short" end }, 16)
    end, "coreclaw: the host's source of random bytes failed")
    assert.has_error(function() crypto.random({ random = function() end }, 16) end)
  end)

  it("takes the first library that computes rightly", function()
    local real = crypto.find()
    local other = fresh {
      { name = "absent", load = function() error "no such module" end },
      { name = "another of this name", load = function() return {} end },
      { name = "wrong", load = function() return { hmac = function() return ("x"):rep(32) end } end },
      { name = "hexadecimal", load = function()
        return { hmac = function(k, t) return crypto.hex(real.hmac(k, t)) end }
      end },
      { name = "stops at NUL", load = function()
        return { hmac = function(k, t) return real.hmac(k:match "^[^%z]*", t:match "^[^%z]*") end }
      end },
      { name = "right", load = function() return { hmac = real.hmac } end },
      { name = "never asked", load = function() error "asked" end },
    }
    assert.equal("right", other.find().name)
    other.libraries = {}
    assert.equal("right", other.find().name) -- remembered
  end)

  it("knows how the others are called", function()
    local real = crypto.find()
    local function adapter(name, modules)
      for module, value in pairs(modules) do package.loaded[module] = value end
      for _, candidate in ipairs(crypto.libraries) do
        if candidate.name == name then
          local ok, library = pcall(candidate.load)
          for module in pairs(modules) do package.loaded[module] = nil end
          assert.is_true(ok, tostring(library))
          check_vectors(library)
          return library
        end
      end
    end
    local function object(key)
      return { final = function(_, text) return real.hmac(key, text) end }
    end
    adapter("lua-resty-openssl", {
      ["resty.openssl.hmac"] = { new = function(key, kind) return kind == "sha256" and object(key) end },
      ["resty.openssl.rand"] = { bytes = function(n) return ("r"):rep(n) end },
    })
    adapter("lua-resty-hmac", { ["resty.hmac"] = {
      ALGOS = { SHA256 = 256 }, new = function(_, key, kind) return kind == 256 and object(key) end,
    } })
    local saved = package.loaded.openssl
    local library = adapter("lua-openssl", { openssl = {
      hmac = { hmac = function(kind, text, key, raw)
        return kind == "sha256" and raw and real.hmac(key, text)
      end },
      random = function(n) return ("r"):rep(n), true end,
    } })
    package.loaded.openssl = saved
    assert.equal("rrr", library.random(3))
    assert.equal(1, select("#", library.random(3)))
  end)

  it("says what to install where there is none", function()
    local other = fresh {}
    local function message()
      local ok, err = pcall(other.find)
      assert.is_false(ok)
      return err
    end
    assert.matches("apt install lua%-luaossl .*luarocks install luaossl; or pass crypto", message())
    rawset(_G, "ngx", {})
    local in_nginx = message()
    rawset(_G, "ngx", nil)
    assert.matches("opm get fffonion/lua%-resty%-openssl", in_nginx)
    rawset(_G, "vim", {})
    local in_neovim = message()
    rawset(_G, "vim", nil)
    assert.matches("for Lua 5.1, where Neovim", in_neovim)
  end)

  it("takes one of the caller's own, if it is right", function()
    local real = crypto.find()
    local own = { hmac = real.hmac }
    assert.equal(own, crypto.find(own))
    local function message(value)
      local ok, err = pcall(crypto.find, value)
      assert.is_false(ok)
      return err
    end
    assert.matches("crypto_spec.lua:%d+: .*crypto must be a table", message "sha256")
    assert.matches("crypto must be a table", message {})
    assert.matches("does not compute HMAC%-SHA256", message { hmac = function() return "" end })
    assert.matches("does not compute HMAC%-SHA256", message { hmac = error })
  end)

  it("compares texts", function()
    local a = ("ab"):rep(16)
    assert.is_true(crypto.equal(a, ("ab"):rep(16)))
    assert.is_true(crypto.equal("", ""))
    for i = 1, #a do
      assert.is_false(crypto.equal(a, a:sub(1, i - 1) .. "c" .. a:sub(i + 1)))
    end
    assert.is_false(crypto.equal(a, a .. "a"))
    assert.is_false(crypto.equal("ac", "ca"))
  end)

  it("finds a library inside nginx", function()
    local folder = os.tmpname()
    os.remove(folder)
    local here = io.popen("pwd"):read()
    assert(os.execute("mkdir " .. folder))
    local file = assert(io.open(folder .. "/nginx.conf", "w"))
    file:write(([[
      load_module /usr/lib/nginx/modules/ndk_http_module.so;
      load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
      error_log stderr emerg; pid FOLDER/pid; events {}
      http {
        lua_package_path "HERE/lua/?.lua;;";
        lua_package_cpath "HERE/BUILD/luajit/?.so;;";
        init_by_lua_block {
          local crypto = require "coreclaw.crypto"
          for _, candidate in ipairs(crypto.libraries) do
            local ok, library = pcall(candidate.load)
            if ok and pcall(library.hmac, "k", "t") then
              io.write(candidate.name, " ", crypto.hex(library.hmac("Jefe", "what do ya want for nothing?")), " ",
                #crypto.random(library, 16), "\n")
            end
          end
          io.stdout:flush()
          os.exit(0)
        }
      }]]):gsub("FOLDER", folder):gsub("HERE", here):gsub("BUILD", os.getenv "BUILD" or "build"))
    file:close()
    local pipe = io.popen("nginx -e stderr -p " .. folder .. " -c nginx.conf 2>&1")
    local output = pipe:read "*a"
    pipe:close()
    os.execute("rm -r " .. folder)
    local line = " 5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843 16\n"
    assert.is_truthy(output:find("luaossl" .. line, 1, true), output)
    assert.is_truthy(output:find("libcrypto" .. line, 1, true), output)
  end)
end)
