#!/bin/sh
# hnet: libvirt calls this for each step of each domain. For domains that aren't ours it must cost next to nothing, so
# Node starts last. Standard output stays empty: for some operations libvirt would take it for the domain's XML.
# A failing reconnect kills the running VM; only what comes before a VM runs here may refuse.
refused=
case $2 in
  prepare) refused='start the domain' ;;
  # A move from another host begins here; it concerns hosts that share pools with others.
  migrate)
    [ -e /run/hnet/cluster/settings.json ] || exit 0
    refused='move the domain here'
    ;;
  release | reconnect) ;;
  *) exit 0 ;;
esac
newline='
'
# What is left on standard input, in bounded time; 8 MiB is twice what libvirt's protocol takes for one text.
rest() { /usr/bin/timeout 10 /usr/bin/head -c 8388608; }
# libvirt writes name, UUID and metadata first. The shell reads up to there, because a process would cost more. Other
# programs' metadata may hold anything: of many lines a process reads the rest at once, as a shell takes ever longer. Only
# libvirt can stall it, which then waits for itself: no lock is held yet.
xml= uuid= lines=0 all=
while IFS= read -r line || { xml=$xml$line all=yes && false; }; do
  xml=$xml$line$newline
  # libvirt writes the UUID before anything of a user's.
  [ -n "$uuid" ] || case $line in *'<uuid>'*) uuid=${line#*<uuid>} uuid=${uuid%%</uuid>*} ;; esac
  case $line in
    *'</metadata>'*) break ;;
    *'<memory '* | *'<devices>'*) case $xml in *'<metadata>'*) ;; *) break ;; esac ;;
  esac
  lines=$((lines + 1))
  [ $lines -lt 64 ] || { xml=$xml$(rest) all=yes && break; }
done
attachment=/run/hnet/attachments/$uuid
case $xml in
  *urn:hnet:1*) ;;
  # The assignment may have gone while the domain ran.
  *) [ -e "$attachment.json" ] || exit 0 ;;
esac
# At start hnet wrote a script that undoes everything. It is believed where it holds the same twice, with a line between
# that names the domain and the record beside it; and it has done its work where it says so by its exit code. In any other
# case Node does the release.
is_whole() {
  { read -r sum && read -r sum; } <"$attachment.json" && script=$(/usr/bin/cat "$attachment.sh") || return
  seal="$newline# $uuid $sum$newline"
  once=${script%%"$seal"*}
  [ "$script" = "$once$seal$once" ]
}
if [ "$2" = release ] && [ -f "$attachment.json" ] && [ -f "$attachment.sh" ] && is_whole; then
  /usr/bin/nice -n -15 /usr/bin/timeout -s KILL 15 /bin/sh "$attachment.sh" </dev/null >/dev/null 2>&1
  [ $? -ne 42 ] || exit 0
fi
program=/usr/lib/hnet/qemu.cjs
# A Node.js of hnet's own is there where the system has none, or an old one. AppArmor lets a hook execute programs of
# /usr/bin only.
node=/usr/bin/hnet-node
[ -x $node ] || node=/usr/bin/node
if [ ! -r $program ]; then
  [ -n "$refused" ] || exit 0
  echo "hnet: Cannot $refused: $program is missing; install hnet again" >&2
  exit 1
fi
[ -n "$all" ] || xml=$xml$(rest)
# libvirt waits for this, and other hooks wait for its locks: it goes before the virtual machines that boot meanwhile.
run() {
  /usr/bin/nice -n -15 $node $program "$@" <<END >/dev/null
$xml
END
}
run "$@"
code=$?
case $code in
  # Node crashed (SIGILL, TRAP, ABRT, BUS, FPE, SEGV), by what it keeps of compiled code perhaps: once more, without.
  132 | 133 | 134 | 135 | 136 | 139)
    /usr/bin/rm -rf /var/cache/hnet
    run "$@"
    code=$?
    ;;
esac
# A missing interpreter is a failure too.
[ -n "$refused" ] || exit 0
[ $code -lt 126 ] || echo "hnet: Cannot $refused: $node doesn't run; install hnet again" >&2
exit $code
