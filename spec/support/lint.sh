#!/bin/sh
# lint.sh — the C side of `make lint`: two compilers, cppcheck, and the boundary of the two alphabets.
set -eu
cd "$(dirname "$0")/../.."
strict="-std=c99 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Werror"

for compiler in gcc clang; do
  # shellcheck disable=SC2086
  $compiler $strict $(pkg-config --cflags libcurl) src/cc_*.c
  for lua in lua5.1 lua5.2 lua5.3 lua5.4 luajit; do
    # shellcheck disable=SC2046,SC2086
    $compiler $strict $(pkg-config --cflags $lua) src/lcc_*.c src/core.c
  done
done

cppcheck --quiet --std=c99 --enable=warning,performance,portability --inline-suppr \
  --error-exitcode=1 -D__GNUC__ --suppress=missingIncludeSystem -Isrc src

sh spec/support/boundary.sh
echo "lint: clean"
