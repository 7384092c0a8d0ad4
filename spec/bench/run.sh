#!/bin/sh
# run.sh — compiles the C programs of the benchmark and runs it.
set -eu
cd "$(dirname "$0")/../.."
make --no-print-directory -s bench-programs
LUA_PATH="./?.lua;./lua/?.lua;./lua/?/init.lua;;"
LUA_CPATH="./build/lua5.4/?.so;;"
export LUA_PATH LUA_CPATH
trap '' PIPE # a subject that dies must not take the benchmark with it
exec lua5.4 spec/bench/main.lua
