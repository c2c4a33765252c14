#!/bin/sh
# hnet: libvirt calls this for each step of each domain. For domains that aren't ours it must cost next to nothing, so
# Node starts last. Standard output stays empty: for some operations libvirt would take it for the domain's XML.
case $2 in
  prepare | release | reconnect) ;;
  *) exit 0 ;;
esac
# libvirt writes name, UUID and metadata first. The shell reads up to there, because a process would cost more, and Node
# reads the rest. Other programs' metadata may hold anything.
newline='
'
head=
while IFS= read -r line || { head=$head$line && false; }; do
  head=$head$line$newline
  case $line in
    *'</metadata>'*) break ;;
    *'<memory '* | *'<devices>'*) case $head in *'<metadata>'*) ;; *) break ;; esac ;;
  esac
done
# libvirt writes the UUID before anything of a user's.
uuid=${head#*<uuid>}
attachment=/run/hnet/attachments/${uuid%%</uuid>*}
case $head in
  *urn:hnet:1*) ;;
  # The assignment may have gone while the domain ran.
  *) [ -e "$attachment.json" ] || exit 0 ;;
esac
# At start hnet wrote a script that undoes everything. If it fails, or there is none, Node does the release.
[ "$2" = release ] && [ -e "$attachment.sh" ] &&
  /usr/bin/nice -n -15 /bin/sh "$attachment.sh" </dev/null >/dev/null 2>&1 && exit 0
program=/usr/lib/hnet/qemu.cjs
if [ ! -r $program ]; then
  # A failing reconnect kills the running VM; only prepare may refuse.
  [ "$2" = prepare ] || exit 0
  echo "hnet: Cannot start the domain: $program is missing; run hnet's install.sh again" >&2
  exit 1
fi
# libvirt waits for this, and other hooks wait for its locks: it goes before the virtual machines that boot meanwhile.
HNET_REST=3 /usr/bin/nice -n -15 "@NODE@" $program "$@" 3<&0 <<END >/dev/null
${head%"$newline"}
END
code=$?
# A failing reconnect kills the running VM, a missing interpreter included; only prepare may refuse.
[ "$2" = prepare ] || exit 0
[ $code -lt 126 ] || echo "hnet: Cannot start the domain: @NODE@ doesn't run; run hnet's install.sh again" >&2
exit $code
