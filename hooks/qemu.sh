#!/bin/sh
# hnet: libvirt calls this for every step of every domain's life. Only three steps concern us, and only for
# domains that bear our metadata or hold an attachment: for all others it must cost next to nothing, so node
# starts last. Standard output stays empty: for some operations libvirt would take it for the domain's XML.
case $2 in
  prepare | release | reconnect) ;;
  *) exit 0 ;;
esac
# libvirt writes name, UUID and metadata before anything else. Up to there the shell reads by itself, for each process
# costs more than that; node reads the rest. What others keep in the metadata may look like anything.
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
# What a stop takes down is known since the start, which has written it down for those who need no node for it. Where
# that comes to no good end, node has to see to it.
[ "$2" = release ] && [ -e "$attachment.sh" ] &&
  /usr/bin/nice -n -15 /bin/sh "$attachment.sh" </dev/null >/dev/null 2>&1 && exit 0
program=/usr/lib/hnet/qemu.cjs
if [ ! -r $program ]; then
  # A failing reconnect kills the running VM; only prepare may refuse.
  [ "$2" = prepare ] || exit 0
  echo "hnet: Cannot start the domain: $program is missing; run hnet's install.sh again" >&2
  exit 1
fi
# libvirt waits for this, and so do others for its locks: it goes before the virtual machines that boot meanwhile.
HNET_REST=3 /usr/bin/nice -n -15 "@NODE@" $program "$@" 3<&0 <<END >/dev/null
${head%"$newline"}
END
code=$?
# A failing reconnect kills the running VM, a missing interpreter included; only prepare may refuse.
[ "$2" = prepare ] || exit 0
[ $code -lt 126 ] || echo "hnet: Cannot start the domain: @NODE@ doesn't run; run hnet's install.sh again" >&2
exit $code
