#!/bin/sh
# suite.sh NAME COMMAND... — runs one suite of tests under a time limit, keeps its output in
# build/test/NAME.log, and counts what really ran into build/test/NAME.count ("passed failed skipped").
#
# Counted are the closing lines of busted ("N successes / N failures / N errors / N pending") and of
# the C tests ("N passed, N failed"). A suite without such a line, or with a bad exit code though
# nothing failed, counts as one failure: a crash must not look like silence.
set -u
name=$1
shift
folder=build/test
log=$folder/$name.log
mkdir -p "$folder"
start=$(date +%s)
timeout -k 10 "${SUITE_SECONDS:-900}" "$@" >"$log" 2>&1 </dev/null
code=$?
awk -v code="$code" '
  / success(es)? \/ .* pending/ { gsub("\033[[][0-9;]*m", ""); p += $1; f += $4 + $7; s += $10; seen = 1 }
  /^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3; seen = 1 }
  END { if (!seen || (code != 0 && f == 0)) f++; print p + 0, f + 0, s + 0 }' "$log" >"$folder/$name.count"
read -r passed failed skipped <"$folder/$name.count"
# The processor's time, of all programs that it waited for: two cores run several suites at a time.
times >"$folder/$name.times" # not in a pipe: another process has used nothing
cpu=$(awk 'NR == 2 { split($0, t, /[ms ]+/); printf "%d", t[1] * 60 + t[2] + t[3] * 60 + t[4] }' "$folder/$name.times")
printf '%-22s %5d passed %3d failed %3d skipped  %4d s, cpu %3d s\n' \
  "$name" "$passed" "$failed" "$skipped" $(($(date +%s) - start)) "$cpu"
[ "$failed" = 0 ] && exit 0
[ "$code" = 124 ] && echo "  $name ran longer than ${SUITE_SECONDS:-900} seconds and was stopped"
grep -v '^[●◌+.-]*$' "$log" | tail -n 60 | sed "s/^/  $name | /"
exit 0
