#!/bin/sh
# install.sh PACKAGE... — installs the Debian packages that are missing: as root, by sudo, or by
# telling the one command to run. Without anything missing it needs neither network nor root.
set -eu

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "coreclaw: no dpkg here; these must be present under their names of this system: $*" >&2
  exit 0
fi

missing=
for package in "$@"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
run() {
  echo "coreclaw: installing$missing" >&2
  # RUNLEVEL=1 keeps a fresh nginx from being started as a service: only its program is wanted.
  "$@" sh -c "export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    { apt-get update -q && $install -q; } >&2"
}
if [ "$(id -u)" = 0 ]; then
  run env
elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
  run sudo
else
  echo "coreclaw: packages are missing; as root, run:" >&2
  echo "  apt-get update && $install" >&2
  exit 1
fi
