#!/bin/sh
# test.sh — everything `make test` runs: builds, suites, and the one line that counts them.
# Two suites at a time: most of their time is waiting.
set -eu
cd "$(dirname "$0")/../.."
rm -rf build/test
mkdir -p build/test

make --no-print-directory -s -j2 build c-tests sanitized

# What stresses the C core most; the rest would only be slow under the sanitizers.
json="spec/coreclaw/json_spec.lua spec/coreclaw/json_encode_spec.lua spec/coreclaw/json_random_spec.lua
  spec/coreclaw/json_library_spec.lua"
json=$(echo $json)
core="spec/core/engine_spec.lua spec/core/lifetime_spec.lua spec/core/once_spec.lua"

suites() {
  for lua in lua5.1 lua5.2 lua5.3 lua5.4 luajit; do
    echo "$lua sh spec/support/busted.sh $lua spec"
  done
  for test in build/c-tests/*; do
    echo "$(basename "$test") $test"
  done
  for lua in lua5.4 luajit; do
    echo "asan-$lua sh spec/support/asan.sh $lua spec/core spec/e2e $json spec/coreclaw/download_spec.lua"
    echo "valgrind-$lua sh spec/support/valgrind.sh $lua $core spec/e2e/main_job_spec.lua" \
      "spec/e2e/values_spec.lua spec/coreclaw/json_spec.lua spec/coreclaw/json_encode_spec.lua"
  done
}
suites | xargs -P 2 -L 1 sh spec/support/suite.sh

cat build/test/*.count |
  awk '{ p += $1; f += $2; s += $3 } END { print p " passed, " f " failed, " s " skipped"; exit f > 0 || p == 0 }'
