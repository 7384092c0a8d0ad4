#!/bin/sh
# asan.sh LUA PATH... — specs on a core built with AddressSanitizer and UBSan, with a collector that
# never rests. The Lua itself is not instrumented, so the runtimes are loaded in front of it.
set -eu
lua=$1
shift
runtimes=$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)
export BUILD=build/asan ASAN_OPTIONS=detect_leaks=1
export LSAN_OPTIONS=suppressions=spec/support/shell.lsan:print_suppressions=0
export RUN="env LD_PRELOAD=$runtimes"
exec sh spec/support/each.sh "$lua" --helper=spec/support/harsh.lua "$@"
