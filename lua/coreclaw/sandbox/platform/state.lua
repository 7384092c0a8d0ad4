--- Everything the sandbox remembers, in plain tables. One process serves all requests, so nothing is locked.

local M = {
  settings = {}, -- the options of start
  accounts = {}, -- by key
  workers = {}, -- list; see registry.lua
  runs = {}, -- by slug
  history = {}, -- runs, oldest first
  tasks = {}, -- by slug
  task_list = {}, -- the same, oldest first
  queue = {}, -- list of queue items
  paid = {}, -- runs really started, in order
}

return M
