#!/bin/sh
# failures.sh NAME — what went wrong in a suite that has run, in a few lines: each failure of busted with
# the lines under it, or, if it tells of none (a crash, a time limit, a C test), the end of its output.
set -u
log=build/test/$1.log
{
  grep -E -A 8 '^(Failure|Error) (→|->)' "$log" 2>/dev/null || tail -n 12 "$log" 2>/dev/null
} | grep -v '^$' | head -n 30 | sed "s/^/  $1 | /"
