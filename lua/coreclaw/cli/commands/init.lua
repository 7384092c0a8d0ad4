--- All commands, in the order of --help. Each is a table: name, summary, arguments, options, and
--- run(ctx, options), which returns an exit code, 0 if nothing; or commands of its own.

local commands = {}

for _, room in ipairs { "runs", "map", "results", "workers", "tasks", "queue", "account", "login", "here" } do
  for _, definition in ipairs(require("coreclaw.cli.commands." .. room)) do commands[#commands + 1] = definition end
end

return commands
