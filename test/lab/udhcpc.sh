#!/bin/busybox sh
# What udhcpc runs, in the stand-in guests and in the VM alike. Its words reach the console as markers.
# A /32 has no neighbours, so that the router is made reachable first; option 121, where given, replaces option 3.

route_via() { # destination, router
	[ "$2" = 0.0.0.0 ] && { ip route replace "$1" dev "$interface"; return; }
	[ "$1" = "$2/32" ] || [ "$mask" != 32 ] || ip route replace "$2/32" dev "$interface"
	ip route replace "$1" via "$2" dev "$interface"
}

note() { # keeps the lease where a test can read it, name=value
	for name in ip mask router dns domain hostname lease serverid staticroutes mtu ntpsrv siaddr boot_file; do
		eval "echo \"$name=\$$name\""
	done >"/run/lease.$interface"
	[ ! -e /run/vm ] || echo "HNET-LEASE $1 $ip/$mask router $router" >/dev/console
	[ ! -e /run/vm ] || [ "$1" != bound ] || echo "HNET-READY dhcp $ip" >/dev/console
}

case $1 in
deconfig)
	ip link set "$interface" up
	ip -4 addr flush dev "$interface"
	;;
bound | renew)
	[ -z "$mtu" ] || ip link set "$interface" mtu "$mtu"
	ip -4 addr show dev "$interface" | grep -q "inet $ip/$mask" || {
		ip -4 addr flush dev "$interface"
		ip addr add "$ip/$mask" dev "$interface"
	}
	if [ -n "$staticroutes" ]; then
		set -- "$1" $staticroutes
		event=$1
		shift
		while [ $# -gt 1 ]; do
			route_via "$1" "$2"
			shift 2
		done
	else
		event=$1
		for each in $router; do route_via 0.0.0.0/0 "$each"; done
	fi
	note "$event"
	;;
esac
