#!/bin/sh
# Brings this machine to where the lab can stand: Debian's or Ubuntu's packages of test/lab/packages, those that are
# missing. Asked of dpkg, which takes no time where all are there. Nothing but packages is changed,
# and of what these would start some stays switched off.
set -eu
cd "$(dirname "$0")"
log=/var/log/hnet-lab.log

die() {
  printf '%s\n' "hnet: $*" >&2
  exit 1
}

apt() {
  DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y -o Dpkg::Options::=--force-confold \
    -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1 </dev/null
}

[ "$(id -u)" = 0 ] || die 'Cannot prepare the lab: it needs root; run it with sudo'
[ "$(uname -m)" = x86_64 ] || die "Cannot prepare the lab: its virtual machines are x86_64, this host is $(uname -m)"
command -v apt-get >/dev/null 2>&1 || die "Cannot prepare the lab: this isn't Debian or Ubuntu"

present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
missing=
for package in $(sed 's/#.*//' packages); do
  printf '%s\n' "$present" | grep -qxF "$package" || missing="$missing $package"
done
# The kernel of the virtual machines comes from the archive too, unpacked and not installed; Ubuntu packs with zstd.
if [ ! -e ../../.cache/lab/kernel/vmlinuz ] && ! command -v zstd >/dev/null 2>&1; then missing="$missing zstd"; fi
if [ -z "$missing" ] && [ -e ../../.cache/lab/kernel/vmlinuz ]; then exit 0; fi

# Lists of a day ago are new enough; older ones name files that the archive no longer has.
if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mmin -1440 2>/dev/null)" ]; then
  echo 'hnet: updating the package lists'
  apt update || die "Cannot update the package lists: see $log"
fi
[ -n "$missing" ] || exit 0
# shellcheck disable=SC2086 # a list of package names
set -- $missing
echo "hnet: installing $# packages, which takes a minute or two: $*"
sh mask.sh "$@"
apt install --no-install-recommends "$@" || die "Cannot install $*: see $log"
