# Runs in a chroot of a hypervisor that hasn't booted: makes it one of several between which VMs move.
set -e
# Names must lead to the wire: libvirt at the destination tells the source its own name for the copy.
{
	printf '127.0.0.1 localhost\n::1 localhost\n'
	for number in 1 2 3 4 5 6 7 8 9; do printf '10.9.0.%s h%s\n' "$number" "$number"; done
} >/etc/hosts
# qemu+tcp without a password, for the wire is the cluster's own.
printf 'auth_tcp = "none"\n' >>/etc/libvirt/libvirtd.conf
systemctl --quiet enable libvirtd-tcp.socket bird.service 2>/dev/null
