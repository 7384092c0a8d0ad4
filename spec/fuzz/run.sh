#!/bin/sh
# run.sh SECONDS TARGET... — runs fuzz targets of build/fuzz, one behind the other, so many seconds
# each, and prints the closing line that suite.sh counts. SEED=N repeats a run.
# (A Lua state keeps memory between two inputs, which libFuzzer would take for a leak each time; what is
# lost at the end is found all the same.)
#
# Each begins with the texts of spec/fuzz/seeds/TARGET.txt (between lines of "====") and keeps what it
# found in build/fuzz/corpus/TARGET. What crashes one is left in build/fuzz/crashes.
set -u
cd "$(dirname "$0")/../.."
seconds=$1
shift
passed=0 failed=0
export ASAN_OPTIONS="quarantine_size_mb=16:detect_leaks=1" UBSAN_OPTIONS=print_stacktrace=1
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
mkdir -p build/fuzz/crashes

for target in "$@"; do
  corpus=build/fuzz/corpus/$target seeds=build/fuzz/seeds/$target
  rm -rf "$seeds"
  mkdir -p "$corpus" "$seeds"
  awk -v folder="$seeds" 'BEGIN { n = 1; ORS = "" }
    $0 == "====" { n++; begun = 0; next }
    { print (begun ? "\n" : "") $0 > (folder "/" n); begun = 1 }' "spec/fuzz/seeds/$target.txt"
  seed=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
  log=build/fuzz/$target.log
  # shellcheck disable=SC2046
  if "build/fuzz/$target" -seed="$seed" -max_total_time="$seconds" -max_len=4096 -timeout=30 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$target-" \
    $([ -f "spec/fuzz/$target.dict" ] && echo "-dict=spec/fuzz/$target.dict") \
    $([ "$target" = lua ] && echo -detect_leaks=0) "$corpus" "$seeds" >"$log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    grep -v -E 'NEW|REDUCE|pulse' "$log" | tail -n 60
  fi
  echo "fuzz $target: seed $seed, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s," \
    "$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1) edges"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
