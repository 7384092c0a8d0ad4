#!/bin/sh
# valgrind.sh LUA PATH... — specs under valgrind, with a collector that never rests. Leaks count.
set -eu
lua=$1
shift
export RUN="valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite \
  --errors-for-leak-kinds=definite"
exec sh spec/support/each.sh "$lua" --helper=spec/support/harsh.lua "$@"
