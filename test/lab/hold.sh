# PID 1 of a machine that is only namespaces: gives it a file system of its own where programs keep state, then
# waits. $1 is an empty directory, $2 the machine's name. Everything here vanishes with this mount namespace.
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
# Overlays: what a test writes below /etc and /var stays in the machine, and what is installed can be read.
for dir in etc var; do
	mkdir "$1/$dir" "$1/$dir.work"
	mount -t overlay overlay -o "lowerdir=/$dir,upperdir=$1/$dir,workdir=$1/$dir.work" "/$dir"
done
# Caches are shared by the machines of a lab: the hook, and what tests run, keep there what V8 has made of them.
mkdir -p "${1%/*}/cache"
mount --bind "${1%/*}/cache" /var/cache
# /sys shows the devices of the network namespace in which it was mounted.
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/lab
hostname "$2"
rm -rf /etc/hnet /var/lib/hnet /etc/libvirt/hooks /etc/libvirt/qemu /etc/resolv.conf
mkdir -p /etc/libvirt/hooks /etc/libvirt/qemu
echo 'nameserver 123.45.200.10' >/etc/resolv.conf
printf '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s\n' "$2" >/etc/hosts
ip link set lo up
echo held
exec >/dev/null 2>&1
# A shell and not sleep itself: PID 1 must collect the daemons that die here, or they stay as zombies.
sleep infinity &
while :; do wait; done
