#!/bin/sh
# others.sh PACKAGE... — installs those that are measured beside us, as far as they can be had.
set -u
cd "$(dirname "$0")/../.."
folder=build/bench/node

sh spec/support/install.sh "$@" || for package in "$@"; do
  sh spec/support/install.sh "$package" || echo "bench: $package cannot be had" >&2
done

if [ ! -e "$folder/node_modules/apify-client" ] || [ ! -e "$folder/node_modules/undici" ]; then
  mkdir -p "$folder"
  npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
    undici@6 apify-client@2 >&2 || echo "bench: npm's packages cannot be had" >&2
fi
exit 0
