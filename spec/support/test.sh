#!/bin/sh
# test.sh — everything `make test` runs: builds, suites, and the one line that counts them.
# Five suites at a time, as a rule half of them such as mostly wait.
set -eu
cd "$(dirname "$0")/../.."
rm -rf build/test
mkdir -p build/test

make --no-print-directory -s -j2 build c-tests sanitized unguarded portable fuzz-targets

# What stresses the C core, under a collector that never rests: see asan.sh and valgrind.sh.
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

# What asks for a lot of processor and depends least on the Lua: on 5.4 and LuaJIT only.
heavy="contracts journal key_memory reconcile recover secrets"
light=$(cd spec/e2e && for each in *_spec.lua; do
  case " $heavy " in *" ${each%_spec.lua} "*) ;; *) echo "spec/e2e/$each" ;; esac
done)

every="lua5.1 lua5.2 lua5.3 lua5.4 luajit"
busted="sh spec/support/busted.sh"

# Each folder is a process of its own: what thousands of specs leave behind slows down those after them.
# What takes longest comes first. Two lists, of what mostly waits and of what keeps a core busy.
waiting() {
  for lua in lua5.4 luajit; do echo "$lua-e2e $busted $lua spec/e2e"; done
  for lua in lua5.1 lua5.2 lua5.3; do echo "$lua-e2e $busted $lua" $light; done
  # What is below any Lua in another form: on LuaJIT, whose hosts are the most.
  echo "portable-luajit env BUILD=build/portable $busted luajit" $portable
  echo "threaded-luajit $busted luajit --helper=spec/support/threaded.lua" $threaded
  # The sandbox is a program of its own, the same whoever starts it.
  echo "lua5.4-sandbox $busted lua5.4 spec/sandbox"
  echo "lua5.4-cli $busted lua5.4 spec/cli"
  for lua in lua5.1 luajit; do
    echo "$lua-cli $busted $lua spec/cli/runs_spec.lua spec/cli/exit_spec.lua spec/cli/map_spec.lua"
  done
  for lua in $every; do echo "$lua-hosts $busted $lua spec/hosts"; done
  echo "unguarded-lua5.4 env BUILD=build/unguarded $busted lua5.4" $old
  echo "bench $busted lua5.4 spec/bench"
}

busy() {
  echo "install $busted lua5.4 spec/install" # it installs for every Lua itself
  for lua in lua5.4 luajit; do
    echo "valgrind-core-$lua sh spec/support/valgrind.sh $lua $lifetimes"
    echo "asan-core-$lua sh spec/support/asan.sh $lua $core"
    # Random trials for a minute each, however slow the machine at least so many.
    echo "campaign-$lua env N=2500 SECONDS=60 JOBS=1 sh spec/faults/campaign.sh $lua"
  done
  for room in coreclaw core faults; do
    for lua in $every; do echo "$lua-$room $busted $lua spec/$room"; done
  done
  # Of the texts in the tree each Lua runs those that are programs; the others are read once.
  for lua in lua5.4 luajit; do echo "$lua-tree $busted $lua" spec/*_spec.lua; done
  for lua in lua5.1 lua5.2 lua5.3; do
    echo "$lua-tree $busted $lua spec/readme_spec.lua spec/examples_spec.lua spec/types_spec.lua"
  done
  echo "lua5.1-many $busted lua5.1 --filter=many.lua spec/examples_more_spec.lua" # a list with holes has another length there
  for lua in lua5.4 luajit; do
    echo "asan-json-$lua sh spec/support/asan.sh $lua" $json
    echo "asan-calls-$lua sh spec/support/asan.sh $lua $calls"
    echo "asan-files-$lua env STRESS=0 sh spec/support/asan.sh $lua $files"
    echo "valgrind-json-$lua sh spec/support/valgrind.sh $lua spec/coreclaw/json_spec.lua"
    echo "valgrind-calls-$lua sh spec/support/valgrind.sh $lua spec/e2e/main_job_spec.lua spec/e2e/values_spec.lua"
  done
  for test in build/c-tests/*; do
    [ -d "$test" ] || echo "$(basename "$test") $test"
  done
  for target in json text response lua; do
    echo "fuzz-$target sh spec/fuzz/run.sh 10 $target"
  done
}

waiting >build/test/waiting
busy >build/test/busy
paste -d '\n' build/test/waiting build/test/busy | grep . >build/test/suites
xargs -P 5 -L 1 sh spec/support/suite.sh <build/test/suites

# A suite that never began has left no count: it must not look like silence either.
while read -r name _; do
  [ -s "build/test/$name.count" ] || { echo "$name did not run"; echo "0 1 0" >"build/test/$name.count"; }
done <build/test/suites

# What failed once more, briefly: of a run elsewhere one often sees the end only.
while read -r name _; do
  read -r _ failed _ <"build/test/$name.count"
  [ "$failed" = 0 ] || sh spec/support/failures.sh "$name"
done <build/test/suites

cat build/test/*.count |
  awk '{ p += $1; f += $2; s += $3 } END { print p " passed, " f " failed, " s " skipped"; exit f > 0 || p == 0 }'
