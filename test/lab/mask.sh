#!/bin/sh
# Debian starts what it installs. These services are for the lab's machines, each of which has a system of its own; here
# they would only listen. The arguments are the packages that will be installed: one that is there already is in use.
set -eu
# Without systemd nothing starts by itself.
[ -d /run/systemd/system ] || exit 0
for package; do
	case $package in
	bird2) systemctl --quiet mask bird.service ;;
	etcd-server) systemctl --quiet mask etcd.service ;;
	esac
done
