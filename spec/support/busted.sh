#!/bin/sh
# busted.sh LUA PATH... — runs specs on one Lua, which sees the module built for it and no other.
# BUILD is another build folder, e.g. the sanitized one; RUN a program to run the Lua under.
set -eu
lua=$1
shift
LUA_PATH="./lua/?.lua;./lua/?/init.lua;./?.lua;;"
LUA_CPATH="./${BUILD:-build}/$lua/?.so;;"
# The programs of the packages first: a version manager's shim in front of python3 takes ten times as long
# to start, and specs start hundreds.
PATH=/usr/bin:/bin:$PATH
export LUA_PATH LUA_CPATH PATH
exec ${RUN:-} "$lua" /usr/bin/busted -o plainTerminal "$@"
