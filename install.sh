#!/bin/sh
# Installs hnet on this host, or removes it again. Repeating it is safe.
set -eu

LIB=/usr/lib/hnet
BIN=/usr/bin
HOOKS=/etc/libvirt/hooks
CONFIG=/etc/hnet/hnet.toml
UNITS=/etc/systemd/system
DOCS=/usr/share/doc/hnet
# AppArmor's profile for libvirtd lets a hook execute programs of /usr/bin only, so our own node goes there.
PRIVATE_NODE=$BIN/hnet-node
NODE_MIN=20.12
# In the order in which they are stopped.
SERVICES="hnet-watch.service hnet-sync.service hnet-base.service"

usage() {
  cat <<'END'
Usage: sudo ./install.sh [--pool CIDR]... [--yes]
       sudo ./install.sh --uninstall [--purge]
       sudo ./install.sh --demo

  --pool CIDR   an address or subnet that the provider routes to this host; as often as needed
  --yes         ask nothing
  --uninstall   remove the program, its hook and everything of hnet's from the kernel
  --purge       with --uninstall: the configuration and the leases too
  --demo        show it all in a sandbox; this host keeps nothing of it but packages
END
}

say() { printf '%s\n' "hnet: $*"; }
die() {
  printf '%s\n' "hnet: $*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

main() {
  action=install purge=no yes=no pools=
  while [ $# -gt 0 ]; do
    case $1 in
      --pool) [ $# -ge 2 ] || die "Cannot use --pool: it needs an address or subnet"; pools="$pools $2"; shift ;;
      --pool=*) pools="$pools ${1#--pool=}" ;;
      --yes) yes=yes ;;
      --uninstall) action=uninstall ;;
      --purge) purge=yes ;;
      --demo) action=demo ;;
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
  install_program
  install_docs
  install_config
  install_units
  install_hook
  reload_libvirt
  bring_up
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
  # shellcheck disable=SC2086 # a list of package names
  { apt-get install -y --no-install-recommends $missing || { apt-get update && apt-get install -y --no-install-recommends $missing; }; } >/var/log/hnet-install.log 2>&1 ||
    die "Cannot install$missing: see /var/log/hnet-install.log"
}

# Builds dist/ from the sources; a release tarball comes with dist/ and without sources.
build() {
  if [ -d node_modules/esbuild ]; then
    run_node build.mjs
  elif [ ! -e dist/qemu.cjs ]; then
    fetch_dependencies
    run_node build.mjs
  fi
}

fetch_dependencies() {
  have npm || install_packages npm:npm
  say "fetching dependencies"
  # No package needs a script to be installed.
  npm ci --ignore-scripts --no-audit --no-fund >/var/log/hnet-install.log 2>&1 || die "Cannot fetch dependencies: see /var/log/hnet-install.log"
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

install_program() {
  mkdir -p "$LIB"
  if node=$(system_node); then
    rm -f "$PRIVATE_NODE"
  else
    bundled=$(bundled_node) || die "Cannot find node $NODE_MIN or newer: install nodejs, or use a release tarball of hnet"
    put "$bundled" "$PRIVATE_NODE" 755
    node=$PRIVATE_NODE
  fi
  for file in program.cjs qemu.cjs cli.cjs hnet.cjs; do put "dist/$file" "$LIB/$file" 644; done
  rm -rf "$LIB/node_modules"
  cp -R dist/node_modules "$LIB/node_modules"
  wrapper hnet ''
  wrapper hnet-assign ' assign'
  say "installed $LIB, to run on $node"
}

wrapper() {
  printf '#!/bin/sh\nexec %s %s/hnet.cjs%s "$@"\n' "$node" "$LIB" "$2" | put - "$BIN/$1" 755
}

# Replaces a file atomically: libvirt may be executing it at this moment.
put() {
  cat "$1" >"$2.new"
  chmod "$3" "$2.new"
  mv -f "$2.new" "$2"
}

is_ours() { [ -f "$1" ] && grep -q '^# hnet:' "$1"; }

# The units' Documentation= refers to the README.
install_docs() {
  rm -rf "$DOCS"
  mkdir -p "$DOCS"
  cp -R README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE docs dist/THIRD-PARTY.txt "$DOCS/"
}

# libvirt runs hooks/qemu, then what is in qemu.d (6.5.0 and later); somebody else's hook is never touched.
install_hook() {
  mkdir -p "$HOOKS"
  sed "s,@NODE@,$node,g" hooks/qemu.sh >"$HOOKS/.hnet"
  chmod 755 "$HOOKS/.hnet"
  if [ -e "$HOOKS/qemu" ] && ! is_ours "$HOOKS/qemu"; then
    mkdir -p "$HOOKS/qemu.d"
    hook=$HOOKS/qemu.d/hnet
    say "$HOOKS/qemu is somebody else's and stays; ours goes to $hook"
  else
    hook=$HOOKS/qemu
    if is_ours "$HOOKS/qemu.d/hnet"; then rm -f "$HOOKS/qemu.d/hnet"; fi
  fi
  mv -f "$HOOKS/.hnet" "$hook"
}

install_config() {
  if [ -e "$CONFIG" ]; then
    if [ -n "$pools" ]; then say "$CONFIG is there and stays: add$pools to its pools yourself"; fi
    return 0
  fi
  if [ -z "$pools" ] && [ "$yes" = no ] && [ -t 0 ]; then ask_pools; fi
  mkdir -p "${CONFIG%/*}"
  write_config | put - "$CONFIG" 644
  say "wrote $CONFIG"
}

ask_pools() {
  printf 'Which addresses or subnets does your provider route to this host?\n(such as 123.45.90.112/29 123.45.53.11; empty: edit %s later)\n> ' "$CONFIG"
  read -r pools || pools=
}

write_config() {
  # shellcheck disable=SC2046 # words: dev eth0, via 123.45.12.1, src 123.45.12.48
  set -- $(default_route || true)
  uplink=eth0 gateway=123.45.12.1 address=123.45.12.48
  while [ $# -gt 1 ]; do
    case $1 in dev) uplink=$2 ;; via) gateway=$2 ;; src) address=$2 ;; esac
    shift
  done
  # shellcheck disable=SC2086 # a list of pools
  scopes=$("$BIN/hnet" base scopes $pools) || scopes=172.30.0.0/16
  cat <<END
# hnet. The hook reads this file at every start of a domain; nothing has to be restarted.

# Addresses and subnets that the provider routes to this host. Every address of a subnet is usable, the first
# and the last included. Those that no domain holds are answered by nobody.
pools = [$(quoted "$pools")]

# Where the Internet is, and the host's own address: read from the default route unless they are set here. hnet writes
# the uplink here when it is first set up, so that no better default route, of a VPN say, moves it.
# uplink = "$uplink"
# host = "$address"
# gateway = "$gateway"

# How the provider hands over the pools: "routed" to this host, or "on-link", where it looks for their addresses on the
# uplink's wire, by ARP or neighbour discovery. hnet doctor finds out.
ipv4 = "routed"
ipv6 = "routed"

# The largest packet on the bridges, in bytes, which VMs are told: as much as the uplink takes unless it is set here.
# mtu = 1500

[dhcp]
# "bootstrap": a domain's DHCP lease is a private address, with which any installer gets on line (by NAT); the
# public address is then configured in the guest.
mode = "bootstrap"
# Where the private subnets of the bridges are cut from. A subnet, or a list of them.
scopes = "$scopes"
# Name servers that the lease names.
dns = [$(quoted "$(name_servers)")]
# Domain name and time of the lease (such as 30m, 1h, 7d).
domain = "lan"
lease = "1h"
# Time servers that the lease names, as addresses.
# ntp = ["203.0.113.123"]
# What boot ROMs load, and what iPXE loads in its place. The TFTP server is the host unless it is set here.
# boot_server = "203.0.113.5"
# boot_file = "undionly.kpxe"
# ipxe = "http://203.0.113.5/boot.ipxe"

[firewall]
# "iptables" (with ipset), "nftables", or "auto": the one that works here, iptables first. After a change: hnet sync
backend = "auto"
# Whether domains of this host reach each other's public addresses.
between_domains = true
# Ports and subnets that no domain reaches, such as ["tcp/25"] against spam.
outbound_deny = []
# Whether domains reach private and reserved addresses (10.0.0.0/8 …) by the uplink: "drop", for providers lock servers
# that scan them, "allow", or a list of those that may be reached. Unless set: "drop" if the host's address is public.
# private_destinations = "drop"
# What domains reach on the host itself: "open" leaves it to the host's own rules, "dhcp-only" means DHCP and ping.
host_access = "open"
END
}

# 192.0.2.1 belongs to nobody, but some hosts blackhole it: then ask for 9.9.9.9. No packet is sent.
default_route() { ip -o route get 192.0.2.1 2>/dev/null || ip -o route get 9.9.9.9 2>/dev/null; }

quoted() {
  first=yes
  for word in $1; do
    [ $first = yes ] || printf ', '
    printf '"%s"' "$word"
    first=no
  done
}

# The upstream servers of systemd-resolved are in its own file; a guest can't use the stub on 127.0.0.53. If the
# host has no server that a guest can reach, Quad9 is used.
name_servers() {
  for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
    [ -r "$file" ] || continue
    found=$(sed -n 's/^nameserver[[:space:]]\{1,\}\([0-9A-Fa-f.:]\{3,39\}\)[[:space:]]*$/\1/p' "$file" |
      grep -v -e '^127\.' -e '^::1$' -e '^[Ff][Ee]80:' | head -n 3 | tr '\n' ' ')
    if [ -n "$found" ]; then
      echo "$found"
      return 0
    fi
  done
  echo 9.9.9.9 149.112.112.112 2620:fe::fe 2620:fe::9
}

has_systemd() { [ -d /run/systemd/system ]; }

install_units() {
  [ -d "$UNITS" ] || return 0
  for unit in units/*.service; do put "$unit" "$UNITS/${unit##*/}" 644; done
  has_systemd || return 0
  systemctl daemon-reload
  # shellcheck disable=SC2086 # a list of units
  systemctl enable --quiet $SERVICES
}

# libvirt looks for hooks only at its start and at a reload.
reload_libvirt() {
  has_systemd || return 0
  for daemon in libvirtd virtqemud; do
    if systemctl is-active --quiet "$daemon.service"; then systemctl reload "$daemon.service"; fi
  done
}

bring_up() {
  # Before, hnet let everybody read them.
  for own in /run/hnet /var/lib/hnet; do if [ -d $own ]; then chmod 700 $own; fi; done
  if default_route >/dev/null; then
    if has_systemd; then systemctl restart hnet-base.service; else "$BIN/hnet" base up; fi ||
      die "Cannot bring up the filter: $("$BIN/hnet" base up 2>&1 || true)"
    if has_systemd; then systemctl restart hnet-sync.service hnet-watch.service || say "see: journalctl -u hnet-sync -u hnet-watch"; fi
  else
    say "there is no default route yet: the filter comes up at the first start of a domain"
  fi
  if grep -q '^pools = \[\]' "$CONFIG"; then say "no pools yet: name your addresses in $CONFIG"; fi
  say "done; now: hnet assign DOMAIN [ADDRESS]"
}

uninstall() {
  # Stop repairs, so that none brings back what is being released; then sync removes what is left over.
  if has_systemd && [ -e "$UNITS/hnet-watch.service" ]; then systemctl stop hnet-watch.service hnet-sync.service; fi
  if [ -x "$BIN/hnet" ]; then "$BIN/hnet" sync >/dev/null 2>&1 || true; fi
  if [ -d /run/hnet/attachments ] && [ -n "$(ls /run/hnet/attachments)" ]; then
    if has_systemd && [ -e "$UNITS/hnet-watch.service" ]; then systemctl start hnet-watch.service; fi
    die "Cannot uninstall while domains use hnet: stop them first (hnet status shows them)"
  fi
  # Services first: they would bring the base back.
  for service in $SERVICES; do
    if has_systemd && [ -e "$UNITS/$service" ]; then systemctl disable --quiet --now "$service" || true; fi
  done
  if [ -x "$BIN/hnet" ]; then "$BIN/hnet" base down || say "some of it could not be removed; it goes at the next reboot"; fi
  rm -rf "$DOCS"
  for hook in "$HOOKS/qemu" "$HOOKS/qemu.d/hnet"; do
    if is_ours "$hook"; then rm -f "$hook"; fi
  done
  rmdir "$HOOKS/qemu.d" 2>/dev/null || true
  rm -rf "$LIB" "$BIN/hnet" "$BIN/hnet-assign" "$PRIVATE_NODE" /run/hnet /var/cache/hnet
  for service in $SERVICES; do rm -f "$UNITS/$service"; done
  if has_systemd; then systemctl daemon-reload; fi
  if [ "$purge" = yes ]; then rm -rf "${CONFIG%/*}" /var/lib/hnet; fi
  reload_libvirt
  say "removed"
}

demo() {
  [ -e test/lab/demo.ts ] || die "Cannot show the demo: a release tarball doesn't hold it; it needs the source tree"
  [ -d node_modules/tsx ] || fetch_dependencies
  sh test/lab/prepare.sh
  if private=$(bundled_node); then exec "$private" --import tsx test/lab/demo.ts; fi
  exec node --import tsx test/lab/demo.ts
}

main "$@"
