#!/bin/sh
# each.sh LUA PATH... — runs busted.sh for each spec file by itself: what a collector that never rests walks
# is what all the files before have left, so together they take five times as long.
set -u
lua=$1
shift
options=
bad=0
for path in "$@"; do
  case $path in -*) options="$options $path" && continue ;; esac
  files=$(find "$path" -name '*_spec.lua' | sort)
  [ "$files" ] || { echo "$path: no specs there"; bad=1; }
  for file in $files; do
    # shellcheck disable=SC2086 -- several words
    sh spec/support/busted.sh "$lua" $options "$file" || bad=1
  done
done
exit $bad
