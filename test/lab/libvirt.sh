# Runs in a machine, or in a chroot of one that hasn't booted: makes of its libvirt one that works in a sandbox. $1 is
# libvirt's UUID of the host.
set -e
# cgroup v1 is read-only inside.
echo 'cgroup_controllers = [ ]' >>/etc/libvirt/qemu.conf
echo "host_uuid = \"$1\"" >>/etc/libvirt/libvirtd.conf
systemctl --quiet enable libvirtd.service 2>/dev/null
