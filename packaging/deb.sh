#!/bin/sh
# Builds Debian's packages, hnet_VERSION_ARCH.deb, hnet-node_VERSION_ARCH.deb and cockpit-hnet_VERSION_all.deb, into the
# directory from which it is called.
#   npm run deb [-- ARCH]    for this machine's architecture, or amd64 or arm64
# It needs debhelper, dpkg-dev and node_modules (npm ci --ignore-scripts). The packages are made in a copy, because
# dpkg-buildpackage writes beside the directory that it works in.
set -eu
out=$PWD
cd "$(dirname "$0")/.."
arch=${1:-$(dpkg --print-architecture)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

mkdir "$work/hnet"
for one in *; do
  case $one in node_modules | dist* | test | *.deb | *.tgz) ;; *) cp -R "$one" "$work/hnet/" ;; esac
done
ln -s "$PWD/node_modules" "$work/hnet/node_modules"
# What was fetched for another architecture.
mkdir -p .cache/npm "$work/hnet/.cache"
ln -s "$PWD/.cache/npm" "$work/hnet/.cache/npm"

cd "$work/hnet"
# Whoever builds it and when makes no difference.
export LC_ALL=C.UTF-8 TZ=UTC
# Without -d it asks for a compiler of the other architecture; there is nothing to compile.
dpkg-buildpackage -us -uc -b -d -a "$arch" >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}
cp "$work"/*.deb "$out/"
for made in "$work"/*.deb; do basename "$made"; done
