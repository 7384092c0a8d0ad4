#!/bin/sh
# campaign.sh LUA — a campaign of faults on one Lua; N, SEED, JOBS, TRIAL and SECONDS as campaign.lua tells.
set -eu
cd "$(dirname "$0")/../.."
LUA_PATH="./lua/?.lua;./lua/?/init.lua;./?.lua;;"
LUA_CPATH="./${BUILD:-build}/$1/?.so;;"
export LUA_PATH LUA_CPATH
exec ${RUN:-} "$1" spec/faults/campaign.lua
