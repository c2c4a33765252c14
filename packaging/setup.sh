#!/bin/sh
# hnet: what install.sh and Debian's package do alike, once the files of hnet lie on the host or while they still do.
#   setup enter   puts the hook where libvirt looks for it, and takes away what another installation left
#   setup start   brings up what a configured host needs, after an upgrade say
#   setup leave   takes the hook away, and everything of hnet's out of the kernel; refuses while domains use hnet
set -u

HERE=$(dirname "$0")
HOOKS=/etc/libvirt/hooks
# libvirt 6.5 and later run what is there, beside a hook of somebody else's. It must be a file: AppArmor judges the target of
# a link.
HOOK=$HOOKS/qemu.d/hnet
SERVICES="hnet-watch.service hnet-sync.service hnet-base.service"
ATTACHMENTS=/run/hnet/attachments
CONFIG=/etc/hnet/hnet.toml

say() { printf '%s\n' "hnet: $*"; }
die() {
  printf '%s\n' "hnet: $*" >&2
  exit 1
}

is_ours() { [ -f "$1" ] && grep -q '^# hnet:' "$1"; }
has_systemd() { [ -d /run/systemd/system ]; }

enter() {
  put_hook
  # Before 0.2 the hook was there where no other was. libvirt would run both.
  if is_ours "$HOOKS/qemu"; then rm -f "$HOOKS/qemu"; fi
  # Units there would come before the packaged ones for ever. Links there are what enables a unit.
  for service in $SERVICES; do rm -f "/etc/systemd/system/$service"; done
  # Before, hnet let everybody read them.
  for own in /run/hnet /var/lib/hnet; do if [ -d $own ]; then chmod 700 $own; fi; done
  tell_udev
  has_systemd || return 0
  systemctl daemon-reload
  # It runs the program of before.
  systemctl try-restart hnet-watch.service
  reload_libvirt
}

# For bridges that stand already; 26734 is the device group of hnet's.
tell_udev() {
  [ -S /run/udev/control ] || return 0
  udevadm control --reload
  udevadm trigger --subsystem-match=net --attr-match=netdev_group=26734
}

# libvirt may be executing it at this moment: it is replaced as a whole, or stays what it was.
put_hook() {
  if [ -e "$HOOK" ] && ! is_ours "$HOOK"; then die "Cannot put the hook to $HOOK: a file of somebody else's is there; move it away"; fi
  why=$({ mkdir -p "${HOOK%/*}" && cp "$HERE/hook" "$HOOK.new" && chmod 755 "$HOOK.new" && mv -f "$HOOK.new" "$HOOK"; } 2>&1) && return
  rm -f "$HOOK.new"
  die "Cannot put the hook to $HOOK: $why; mend that and install hnet again"
}

# libvirt looks for hooks only at its start and at a reload.
reload_libvirt() {
  for daemon in libvirtd virtqemud; do
    if systemctl is-active --quiet "$daemon.service"; then systemctl reload "$daemon.service"; fi
  done
}

start() {
  [ -e "$CONFIG" ] || return 0
  has_systemd || return 0
  systemctl start hnet-base.service || say "the filter didn't come up: $(/usr/bin/hnet base up 2>&1 || true)"
  systemctl restart hnet-sync.service hnet-watch.service || say "see: journalctl -u hnet-sync -u hnet-watch"
}

leave() {
  # Stop repairs, so that none brings back what is being released; then sync removes what is left over.
  if has_systemd; then systemctl stop hnet-watch.service hnet-sync.service 2>/dev/null; fi
  if [ -x /usr/bin/hnet ]; then /usr/bin/hnet sync >/dev/null 2>&1; fi
  if [ -d $ATTACHMENTS ] && [ -n "$(ls $ATTACHMENTS)" ]; then
    if has_systemd && [ -e $CONFIG ]; then systemctl start hnet-watch.service; fi
    die "Cannot uninstall while domains use hnet: stop them first (hnet status shows them)"
  fi
  if has_systemd; then systemctl disable --quiet --now hnet-metrics.timer 2>/dev/null; fi
  # node_exporter would tell the last figures for ever.
  rm -f /var/lib/prometheus/node-exporter/hnet.prom
  # The service first: it would bring the base back.
  if has_systemd; then systemctl stop hnet-base.service 2>/dev/null; fi
  if [ -x /usr/bin/hnet ]; then /usr/bin/hnet base down || say "some of it could not be removed; it goes at the next reboot"; fi
  for hook in "$HOOK" "$HOOKS/qemu"; do
    if is_ours "$hook"; then rm -f "$hook"; fi
  done
  rmdir "${HOOK%/*}" 2>/dev/null
  rm -rf /run/hnet /var/cache/hnet
  if has_systemd; then reload_libvirt; fi
}

case ${1-} in
  enter | start | leave) "$1" ;;
  *) die "Cannot do \"${1-}\": it is called by install.sh and by the package" ;;
esac
