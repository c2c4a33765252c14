# Makes the root of a Debian release, with nothing of this machine in it, out of the archive that apt here takes its
# packages from. $1 is the directory to make, $2 the release's name, $3 its packages, separated by commas.
set -e
# An earlier attempt may have been killed in the middle.
rm -rf "$1.half"

# Only Debian's own archive has Debian's releases: not that of updates, and not Ubuntu's.
archive=${HNET_ARCHIVE:-$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(SITE)' | sed -n 's/^Debian Debian //p' | head -n 1)}
[ -n "$archive" ] || {
	echo "Cannot make a Debian root: apt here knows no archive of Debian's; name one in HNET_ARCHIVE" >&2
	exit 1
}

# A proxy that this machine needs, and what it lets pass, hold for the other release too; its other settings don't.
settings=$(mktemp)
trap 'rm -f "$settings"' EXIT
apt-config dump Acquire | grep -iE 'proxy|check-|verify-' >"$settings" || :

# Nothing but packages remains of how it was made: as an installer leaves a machine. What dpkg doesn't write through to
# the disk at once is lost only if the power fails now, and then the directory is made again.
mmdebstrap --quiet --mode=root --variant=minbase --include="$3" --aptopt="$settings" \
	--aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
	--customize-hook='rm "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap' \
	"$2" "$1.half" "$archive"
mv "$1.half" "$1"
