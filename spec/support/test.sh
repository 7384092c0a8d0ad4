#!/bin/sh
# test.sh — everything `make test` runs: builds, suites, and the one line that counts them.
# Two suites at a time: most of their time is waiting.
set -eu
cd "$(dirname "$0")/../.."
rm -rf build/test
mkdir -p build/test

make --no-print-directory -s -j2 build c-tests sanitized

suites() {
  for lua in lua5.1 lua5.2 lua5.3 lua5.4 luajit; do
    echo "$lua sh spec/support/busted.sh $lua spec"
  done
  for test in build/c-tests/*; do
    echo "$(basename "$test") $test"
  done
  for lua in lua5.4 luajit; do
    echo "asan-$lua sh spec/support/asan.sh $lua spec/core spec/coreclaw spec/e2e"
    echo "valgrind-$lua sh spec/support/valgrind.sh $lua spec/core spec/coreclaw spec/e2e"
  done
}
suites | xargs -P 2 -L 1 sh spec/support/suite.sh

cat build/test/*.count |
  awk '{ p += $1; f += $2; s += $3 } END { print p " passed, " f " failed, " s " skipped"; exit f > 0 || p == 0 }'
