#!/bin/sh
# boundary.sh — the engine never sees Lua, the binding never calls libcurl (DESIGN: two alphabets).
cd "$(dirname "$0")/../.." || exit 1
bad=0
if grep -nHE '#[[:space:]]*include[[:space:]]*[<"](lua|lauxlib|lualib|luajit|lcc)' src/cc_*.[ch]; then
  echo "boundary: a cc_ file includes Lua"
  bad=1
fi
if grep -nHE '\bcurl_[a-z]+[a-z_]*[[:space:]]*\(|#[[:space:]]*include[[:space:]]*<curl' src/lcc*.[ch] src/core.c; then
  echo "boundary: a binding file calls libcurl"
  bad=1
fi
exit $bad
