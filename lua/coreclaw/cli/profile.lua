--- Where the key comes from: a file, a profile, the environment; never an argument, which `ps` shows.
--
-- The profile file is JSON: { "default": { "api_key": "…" }, "work": { "api_key": "…", "base_url": "…" } }

local core = require "coreclaw.core"
local failure = require "coreclaw.cli.failure"
local json = require "coreclaw.json"
local validate = require "coreclaw.validate"

local profile = {}

-- What a profile may say: settings of `coreclaw.new`.
local FIELDS = {
  api_key = true, base_url = true, api = true, auth = true, ca_file = true, proxy = true, no_proxy = true,
}

local function set(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

---Where profiles are kept.
---@return string?
function profile.path()
  local config = set "XDG_CONFIG_HOME" or set "HOME" and os.getenv "HOME" .. "/.config"
  return set "CORECLAW_PROFILES" or config and config .. "/coreclaw/profiles.json"
end

-- The text of an open file that nobody else can read. What is no regular file (a pipe, /dev/fd/3) has no
-- permissions to speak of.
local function private_text(file, path)
  local mode, ours, regular = core.file_mode(file)
  if regular and not ours then
    failure.usage("%s belongs to somebody else: a file with a key must be your own", path)
  elseif regular and mode % 64 ~= 0 then
    failure.usage("%s can be read or written by others (mode %04o): chmod 600 %s", path, mode, path)
  end
  local text, why = file:read "*a"
  file:close()
  return text or failure.raise("file", path .. ": " .. tostring(why))
end

---A key in a file.
---@param path string  "-" is stdin
---@return string
function profile.key_of_file(path)
  local text
  if path == "-" then
    text = io.stdin:read "*l" or ""
  else
    local file, why = io.open(path, "rb")
    if not file then failure.raise("file", tostring(why)) end
    text = private_text(file, path)
  end
  local key = text:match "^%s*(%S+)[^\n]*"
  if not key then failure.usage("there is no key in %s", path == "-" and "stdin" or path) end
  return key
end

local function checked(entry, name, path)
  if type(entry) ~= "table" or json.is_array(entry) then
    failure.usage("%s: profile %s must be an object", path, name)
  end
  local out = {}
  for field, value in pairs(entry) do
    if not FIELDS[field] then
      local near = validate.nearest(field, FIELDS)
      failure.usage("%s: profile %s: unknown field %s%s", path, name, field,
        near and " (did you mean " .. near .. "?)" or "")
    elseif type(value) ~= "string" then
      failure.usage("%s: profile %s: %s must be a string", path, name, field)
    end
    out[field] = value
  end
  return out
end

-- All profiles of the file, and where it is; nil and why if there is no such file.
local function read_all()
  local path = profile.path()
  if not path then return nil, "HOME is not set" end
  if not core.file_type(path) then return nil, path .. " does not exist", path end
  local file, why = io.open(path, "rb")
  if not file then failure.raise("file", why) end
  -- What the decoder would say of broken JSON might hold a piece of the key.
  local all = json.decode(private_text(file, path))
  if type(all) ~= "table" or json.is_array(all) then failure.usage("%s is not valid JSON", path) end
  return all, nil, path
end

-- The settings of a profile; nil where there is none of that name and none is insisted on.
local function of_file(name, wanted)
  local all, why, path = read_all()
  if all and all[name] ~= nil then return checked(all[name], name, path) end
  if wanted and all then failure.usage("%s has no profile %s", path, name) end
  if wanted then failure.usage("profile %s: %s", name, why) end
end

local function quoted(path)
  return "'" .. path:gsub("'", "'\\''") .. "'"
end

---What a profile says; nothing where there is none of that name.
---@param name string
---@return table
function profile.named(name)
  return of_file(name) or {}
end

---Writes a profile into the file, beside the others. The file is made for its owner alone, and is whole or as
---it was before.
---@param name string
---@param settings table<string, string>
---@return string path
function profile.save(name, settings)
  local all, why, path = read_all()
  if not path then failure.raise("file", why) end
  all = all or {}
  all[name] = settings
  local new, folder = path .. ".new", path:match "^(.*)/" or "."
  os.execute(("umask 077; mkdir -p %s && rm -f %s && : >%s"):format(quoted(folder), quoted(new), quoted(new)))
  local file, trouble = io.open(new, "r+b")
  local ok = file ~= nil
  if file then
    ok, trouble = file:write(json.encode(all), "\n")
    ok = file:close() and ok
    if ok then ok, trouble = os.rename(new, path) end
  end
  if not ok then failure.raise("file", path .. " cannot be written: " .. tostring(trouble)) end
  return path
end

-- A profile's settings, and where the key comes from if it has one, or none.
local function from(found, name)
  if found.api_key then return found, "profile " .. name end
  return found, set "CORECLAW_API_KEY" and "CORECLAW_API_KEY" or "nowhere", name
end

---The settings that belong to the key, and where they come from, in words.
---@param options table  key_file, profile
---@return table settings  of `coreclaw.new`
---@return string source
---@return string? without  name of the profile that has no key
function profile.settings(options)
  if options.key_file then
    return { api_key = profile.key_of_file(options.key_file) }, "--key-file " .. options.key_file
  elseif options.profile then
    return from(of_file(options.profile, true), options.profile)
  elseif set "CORECLAW_API_KEY" then
    return {}, "CORECLAW_API_KEY"
  end
  local named = set "CORECLAW_PROFILE"
  local found = of_file(named or "default", named ~= nil)
  if not found then return {}, "nowhere" end
  -- The environment is above a profile that nobody named here.
  if set "CORECLAW_BASE_URL" then found.base_url = nil end
  return from(found, named or "default")
end

return profile
