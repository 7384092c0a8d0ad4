-- Clients with a fault of their own, to see whether a campaign finds it: MUTANT=name.

local mutants = {}

-- What may leave twice by itself: libcurl sends again on a connection that dies.
function mutants.resent()
  local request = require "coreclaw.request"
  local build = request.build
  function request.build(...)
    local built = build(...)
    built.once = false
    return built
  end
end

-- What is repeated though it may have arrived.
function mutants.repeated()
  local retry = require "coreclaw.retry"
  local again = retry.again
  function retry.again(client, err, class, ...)
    return again(client, err, err.kind == "network" and "read" or class, ...)
  end
end

-- What is called refused though nobody knows.
function mutants.denied()
  local errors = require "coreclaw.errors"
  local new = errors.new
  function errors.new(fields)
    if fields.kind == "server_error" then fields.sent = "refused" end
    return new(fields)
  end
end

-- A row lost where a page ends.
function mutants.lossy()
  local pages = require "coreclaw.pages"
  local read = pages.read
  function pages.read(...)
    local page = read(...)
    if page.page > 1 then table.remove(page.list, 1) end
    return page
  end
end

return mutants
