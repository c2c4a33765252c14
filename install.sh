#!/bin/sh
# Installs hnet on this host, or removes it again. Repeating it is safe.
set -eu

LIB=/usr/lib/hnet
BIN=/usr/bin
DOCS=/usr/share/doc/hnet
# Cockpit finds the page there, also if it is installed later.
PAGES=/usr/share/cockpit
# All files as they lie below the root of a host; build.mjs makes it, and the package takes the same.
TREE=dist/root
# AppArmor's profile for libvirtd lets a hook execute programs of /usr/bin only, so our own node goes there.
PRIVATE_NODE=$BIN/hnet-node
NODE_MIN=20.12
LOG=/var/log/hnet-install.log
# In the order in which they are stopped.
SERVICES="hnet-watch.service hnet-sync.service hnet-base.service"

usage() {
  cat <<'END'
Usage: sudo ./install.sh [--pool CIDR]... [--yes] [--quiet]
       sudo ./install.sh --uninstall [--purge]
       sudo ./install.sh --demo [cluster]

  --pool CIDR   an address or subnet that the provider routes to this host; as often as needed
  --yes         ask nothing
  -q, --quiet   do not say on the terminal what is being done
  --uninstall   remove the program, its hook and everything of hnet's from the kernel
  --purge       with --uninstall: the configuration and the leases too
  --demo        show it all in a sandbox; this host keeps nothing of it but packages;
                with the word cluster, on three hosts between which a VM moves
END
}

# What is being done that takes seconds: one line of the terminal, which the next one takes away.
progress() { if [ "$quiet" = no ] && [ -t 2 ]; then printf '\r\033[K%s …' "$*" >&2; fi; }
settle() { if [ "$quiet" = no ] && [ -t 2 ]; then printf '\r\033[K' >&2; fi; }
say() {
  settle
  printf '%s\n' "hnet: $*"
}
die() {
  settle
  printf '%s\n' "hnet: $*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

main() {
  action=install purge=no yes=no quiet=no pools= shown=
  while [ $# -gt 0 ]; do
    case $1 in
      --pool) [ $# -ge 2 ] || die "Cannot use --pool: it needs an address or subnet"; pools="$pools $2"; shift ;;
      --pool=*) pools="$pools ${1#--pool=}" ;;
      --yes) yes=yes ;;
      -q | --quiet) quiet=yes ;;
      --uninstall) action=uninstall ;;
      --purge) purge=yes ;;
      --demo)
        action=demo
        if [ "${2-}" = cluster ]; then shown=cluster; shift; fi
        ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; exit 2 ;;
    esac
    shift
  done
  [ "$(id -u)" = 0 ] || die "Cannot $action: it needs root; run it with sudo"
  cd "$(dirname "$0")"
  "$action"
}

install() {
  install_packages "dnsmasq:dnsmasq-base ip:iproute2 ss:iproute2 conntrack:conntrack virsh:libvirt-clients flock:util-linux logger:bsdutils"
  has_filter || install_packages "iptables-restore:iptables iptables-save:iptables ipset:ipset"
  have libvirtd || have virtqemud || install_packages libvirtd:libvirt-daemon-system
  build
  leave_package
  install_tree
  "$LIB/setup" enter
  enable_units
  configure
}

# One of the two that hnet's filter can be made with, whole and in this kernel: the host keeps what it uses.
has_filter() {
  { have iptables-restore && have iptables-save && ipset list -n; } >/dev/null 2>&1 || nft list tables >/dev/null 2>&1
}

# Takes words COMMAND:PACKAGE; installs the packages whose commands are missing.
install_packages() {
  missing=
  for pair in $1; do
    have "${pair%%:*}" || missing="$missing ${pair#*:}"
  done
  [ -n "$missing" ] || return 0
  have apt-get || die "Cannot install$missing: this isn't Debian or Ubuntu; install them by hand (or what they are called here) and run this again"
  say "installing$missing"
  progress "fetching and installing packages"
  # shellcheck disable=SC2086 # a list of package names
  get_packages $missing >$LOG 2>&1 || { ! grep -q '^E: .*lock' $LOG && apt-get update >>$LOG 2>&1 && get_packages $missing >>$LOG 2>&1; } ||
    die "Cannot install$missing: $(why)see $LOG"
}

# Another program that installs packages just now has some time to end, in seconds.
get_packages() { apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=20 "$@"; }

# The last words of apt or dpkg in the log, if they are an error.
why() { sed -n 's/^\(E\|dpkg: error\): \(.*[^.]\)\.*$/\2; /p' $LOG | tail -n 1; }

# Builds dist/ from the sources; a release tarball comes with the tree and without sources.
build() {
  progress "building hnet"
  if [ -d node_modules/esbuild ]; then
    run_node build.mjs
  elif [ ! -d $TREE ]; then
    fetch_dependencies
    run_node build.mjs
  fi
}

fetch_dependencies() {
  have npm || install_packages npm:npm
  say "fetching dependencies"
  progress "npm fetches what hnet is built with"
  # No package needs a script to be installed.
  npm ci --ignore-scripts --no-audit --no-fund >$LOG 2>&1 || die "Cannot fetch dependencies: see $LOG"
}

run_node() {
  if private=$(bundled_node); then "$private" "$@"; else node "$@"; fi
}

bundled_node() {
  for candidate in dist/node node_modules/node-linux-*/bin/node; do
    if [ -x "$candidate" ] && "$candidate" -e 0 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

# The system's node is used if it is new enough and in a directory from which a hook may execute it.
system_node() {
  node=$(readlink -f "$BIN/node" 2>/dev/null) || return 1
  case $node in "$BIN"/*) ;; *) return 1 ;; esac
  is_new_enough "$node" || return 1
  echo "$node"
}

is_new_enough() {
  version=$("$1" --version 2>/dev/null) || return 1
  printf '%s\n' "v$NODE_MIN" "$version" | sort -VC
}

# All of the tree, each file as a whole: libvirt or a service may be running it at this moment. What an earlier installation
# had and this one hasn't goes; /usr/lib/hnet/FILES is its list.
install_tree() {
  if node=$(system_node); then
    has_package hnet-node || rm -f "$PRIVATE_NODE"
  else
    node=$PRIVATE_NODE
    bundled=$(bundled_node) || [ -x "$node" ] || die "Cannot find node $NODE_MIN or newer: install nodejs, or use a release tarball of hnet"
    [ -z "$bundled" ] || put "$bundled" "$node" 755
  fi
  progress "putting files in their places"
  files=$(cd $TREE && find . -type f | sed 's,^\./,,' | sort)
  for file in $files; do
    [ -d "/${file%/*}" ] || mkdir -p "/${file%/*}"
    if [ -x "$TREE/$file" ]; then mode=755; else mode=644; fi
    command install -m $mode "$TREE/$file" "/$file.new"
    mv -f "/$file.new" "/$file"
  done
  if [ -e "$LIB/FILES" ]; then
    for file in $(cat "$LIB/FILES"); do [ -e "$TREE/$file" ] || rm -f "/$file"; done
  fi
  printf '%s\n' "$files" | put - "$LIB/FILES" 644
  say "installed $LIB, to run on $node"
}

# Replaces a file atomically.
put() {
  cat "$1" >"$2.new"
  chmod "$3" "$2.new"
  mv -f "$2.new" "$2"
}

has_package() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The package's files would be replaced behind dpkg's back. Its removal takes nothing away that a domain needs meanwhile.
leave_package() {
  has_package hnet || return 0
  say "taking over from the package hnet"
  HNET_HANDOVER=yes dpkg --purge hnet cockpit-hnet >$LOG 2>&1 || die "Cannot remove the package hnet: $(why)see $LOG"
}

has_systemd() { [ -d /run/systemd/system ]; }

enable_units() {
  has_systemd || return 0
  # shellcheck disable=SC2086 # a list of units
  systemctl enable --quiet $SERVICES
}

configure() {
  set -- init
  [ "$quiet" = no ] || set -- -q "$@"
  [ "$yes" = no ] || set -- "$@" --yes
  for pool in $pools; do set -- "$@" --pool "$pool"; done
  settle
  "$BIN/hnet" "$@"
}

uninstall() {
  if has_package hnet; then die "Cannot uninstall: hnet is installed as a package; use: apt remove hnet (or apt purge hnet)"; fi
  sh packaging/setup.sh leave
  # shellcheck disable=SC2086 # a list of units
  if has_systemd; then systemctl disable --quiet $SERVICES 2>/dev/null || true; fi
  for service in $SERVICES; do rm -f "/etc/systemd/system/$service"; done
  if [ -e "$LIB/FILES" ]; then
    for file in $(cat "$LIB/FILES"); do rm -f "/$file"; done
  fi
  rm -rf "$LIB" "$DOCS" "$PAGES/hnet" "$BIN/hnet" "$BIN/hnet-assign"
  rmdir "$PAGES" 2>/dev/null || true
  has_package hnet-node || rm -f "$PRIVATE_NODE"
  if has_systemd; then systemctl daemon-reload; fi
  if [ "$purge" = yes ]; then rm -rf /etc/hnet /var/lib/hnet; fi
  say "removed"
}

demo() {
  [ -e test/lab/demo/main.ts ] || die "Cannot show the demo: a release tarball doesn't hold it; it needs the source tree"
  [ -d node_modules/tsx ] || fetch_dependencies
  sh test/lab/prepare.sh
  # shellcheck disable=SC2086 # a word or none
  set -- --import tsx test/lab/demo/main.ts $shown
  if private=$(bundled_node); then exec "$private" "$@"; fi
  exec node "$@"
}

main "$@"
