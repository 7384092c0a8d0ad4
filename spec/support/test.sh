#!/bin/sh
# test.sh — everything `make test` runs: builds, suites, and the one line that counts them.
# Four suites at a time: most of their time is waiting.
set -eu
cd "$(dirname "$0")/../.."
rm -rf build/test
mkdir -p build/test

make --no-print-directory -s -j2 build c-tests sanitized unguarded portable fuzz-targets

# What stresses the C core. Each group is a process of its own: a collector that never rests walks all
# that the specs before it have left.
core="spec/core"
lifetimes="spec/core/engine_spec.lua spec/core/lifetime_spec.lua spec/core/once_spec.lua"
json="spec/coreclaw/json_spec.lua spec/coreclaw/json_encode_spec.lua spec/coreclaw/json_random_spec.lua
  spec/coreclaw/json_library_spec.lua"
calls="spec/e2e/main_job_spec.lua spec/e2e/values_spec.lua spec/e2e/failures_spec.lua"
files="spec/coreclaw/download_spec.lua spec/e2e/export_spec.lua"
# As with a libcurl before 7.80.
old="spec/core/once_spec.lua spec/core/http2_spec.lua spec/core/failures_spec.lua spec/e2e/main_job_spec.lua
  spec/e2e/failures_spec.lua spec/e2e/reconcile_spec.lua spec/e2e/promises_spec.lua
  spec/e2e/tls_spec.lua spec/e2e/proxy_spec.lua"

# With a thread for every engine; and as on systems without epoll, which has one always.
threaded="$core spec/hosts/plain_spec.lua"
portable="$core spec/hosts spec/e2e/main_job_spec.lua spec/e2e/promises_spec.lua spec/e2e/follow_spec.lua
  spec/e2e/export_spec.lua spec/coreclaw/download_spec.lua"

every="lua5.1 lua5.2 lua5.3 lua5.4 luajit"

# Each folder is a process of its own: what thousands of specs leave behind slows down those after them.
# What takes longest comes first. The sandbox is a program of its own, the same whoever starts it: two Luas.
suites() {
  for lua in $every; do echo "$lua-e2e sh spec/support/busted.sh $lua spec/e2e"; done
  for lua in lua5.1 lua5.4; do echo "$lua-sandbox sh spec/support/busted.sh $lua spec/sandbox"; done
  # Random trials for a minute each, however slow the machine at least so many.
  for lua in lua5.4 luajit; do
    echo "campaign-$lua env N=2500 SECONDS=60 JOBS=1 sh spec/faults/campaign.sh $lua"
  done
  for lua in lua5.4 luajit; do
    echo "unguarded-$lua env BUILD=build/unguarded sh spec/support/busted.sh $lua" $old
    echo "threaded-$lua sh spec/support/busted.sh $lua --helper=spec/support/threaded.lua" $threaded
    echo "portable-$lua env BUILD=build/portable sh spec/support/busted.sh $lua" $portable
    echo "asan-core-$lua sh spec/support/asan.sh $lua $core"
    echo "asan-json-$lua sh spec/support/asan.sh $lua" $json
    echo "asan-calls-$lua sh spec/support/asan.sh $lua $calls"
    echo "asan-files-$lua env STRESS=0 sh spec/support/asan.sh $lua $files"
    echo "valgrind-core-$lua sh spec/support/valgrind.sh $lua $lifetimes"
    echo "valgrind-json-$lua sh spec/support/valgrind.sh $lua spec/coreclaw/json_spec.lua"
    echo "valgrind-calls-$lua sh spec/support/valgrind.sh $lua spec/e2e/main_job_spec.lua spec/e2e/values_spec.lua"
  done
  for room in coreclaw core faults hosts; do
    for lua in $every; do echo "$lua-$room sh spec/support/busted.sh $lua spec/$room"; done
  done
  for lua in $every; do echo "$lua-tree sh spec/support/busted.sh $lua" spec/*_spec.lua; done
  for test in build/c-tests/*; do
    [ -d "$test" ] || echo "$(basename "$test") $test"
  done
  for target in json text response lua; do
    echo "fuzz-$target sh spec/fuzz/run.sh 10 $target"
  done
}
suites >build/test/suites
xargs -P 4 -L 1 sh spec/support/suite.sh <build/test/suites

# A suite that never began has left no count: it must not look like silence either.
while read -r name _; do
  [ -s "build/test/$name.count" ] || { echo "$name did not run"; echo "0 1 0" >"build/test/$name.count"; }
done <build/test/suites

cat build/test/*.count |
  awk '{ p += $1; f += $2; s += $3 } END { print p " passed, " f " failed, " s " skipped"; exit f > 0 || p == 0 }'
