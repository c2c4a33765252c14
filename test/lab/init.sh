#!/bin/busybox sh
# The whole userland of a lab VM. The kernel command line says what it is:
#   hnet.mode=dhcp|static|slaac|dhcp6|none   hnet.addr=… hnet.gw=… hnet.addr6=… hnet.gw6=… (static)   hnet.ping=…
# What it prints on the console begins with HNET-: UP (userland runs), SHELL (takes commands), READY (configured).
/bin/busybox mkdir -p /proc /sys /dev /run /www /usr/sbin /sbin /usr/bin
/bin/busybox --install -s
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
: >/run/vm
exec >/dev/console 2>&1 </dev/null
for module in $(cat /modules/order); do insmod "/modules/$module"; done
for word in $(cat /proc/cmdline); do
	name=${word%%=*}
	value=${word#*=}
	case $name in hnet.*) eval "${name#hnet.}=\$value" ;; esac
done
ip link set lo up
echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
[ ! -e /sys/class/net/eth0 ] || echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
ip link set eth0 up
echo HNET-UP
setsid /shell </dev/ttyS1 >/dev/ttyS1 2>/dev/null &
echo 'a guest of hnet' >/www/index.html
httpd -p '[::]:80' -h /www || httpd -p 80 -h /www

carrier() { # the kernel notices it up to a second later, and IPv6 does nothing before
	tries=0
	until [ "$(cat /sys/class/net/eth0/operstate)" = up ] || [ $tries -ge 30 ]; do
		tries=$((tries + 1))
		usleep 100000
	done
}

on_link_gateway() { # address, prefix length of a host, gateway
	ip addr add "$1/$2" dev eth0
	case $3 in fe80:*) ;; *) ip route add "$3/$2" dev eth0 ;; esac
	ip route add default via "$3" dev eth0
}

case ${mode:-dhcp} in
static)
	[ -z "$addr" ] || on_link_gateway "$addr" 32 "$gw"
	[ -z "$addr6" ] || carrier
	[ -z "$addr6" ] || on_link_gateway "$addr6" 128 "${gw6:-fe80::1}"
	echo "HNET-READY static $addr $addr6"
	;;
slaac)
	tries=0
	until ip -6 addr show dev eth0 scope global | grep -q inet6 || [ $tries -ge 100 ]; do
		tries=$((tries + 1))
		usleep 100000
	done
	echo "HNET-READY slaac $(ip -6 addr show dev eth0 scope global | awk '/inet6/ { print $2 }' | tr '\n' ' ')"
	;;
dhcp6)
	carrier
	dhclient -6 -1 -lf /run/dhclient6.leases -pf /run/dhclient6.pid -sf /dhclient6.sh eth0 >/run/dhclient6.log 2>&1
	echo "HNET-READY dhcp6 $(cat /run/address6)"
	;;
dhcp)
	# Goes to the background, and on renewing, once it has a lease or has tried in vain for a while.
	udhcpc -b -t 10 -T 1 -A 2 -i eth0 -O 121 -O mtu -s /udhcpc.sh -p /run/udhcpc.pid >/run/udhcpc.log 2>&1
	;;
esac
[ -z "$ping" ] || if ping -c 3 -A -w 5 "$ping"; then echo "HNET-PING $ping ok"; else echo "HNET-PING $ping failed"; fi
while :; do wait; sleep 3600; done
