#!/bin/busybox sh
# What dhclient -6 calls when something has happened (dhclient-script(8)); the default route comes by advertisement.
case $reason in
BOUND6 | RENEW6 | REBIND6)
	ip addr replace "$new_ip6_address/128" dev "$interface"
	echo "$new_ip6_address" >/run/address6
	;;
esac
