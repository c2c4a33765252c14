# Runs in a chroot of the machine's own overlay, before its first boot: makes of the root that it lies over, the outer
# machine's own say, a plain machine of its own. $1 is its name, $2 its machine id.
set -e

# What the outer machine's administrator enabled (or mounts) is none of our business.
rm -rf /etc/systemd/system /etc/fstab /etc/resolv.conf /etc/sysctl.d /etc/modules-load.d /etc/network /etc/netplan
rm -rf /var/log/journal
if [ -d /etc/libvirt ]; then
	for of_libvirt in /etc/libvirt/hooks /etc/libvirt/qemu /var/lib/libvirt/dnsmasq /var/lib/libvirt/network; do
		rm -rf "$of_libvirt"
		mkdir -p "$of_libvirt"
	done
fi
rm -rf /etc/hnet /var/lib/hnet /usr/lib/hnet /usr/bin/hnet /usr/bin/hnet-assign /usr/local/lib/systemd/system
mkdir -p /etc/systemd/system /etc/sysctl.d
: >/etc/fstab
: >/etc/sysctl.conf

# Without its own name a machine waits 5 s for DNS at every `virsh start`.
echo "$1" >/etc/hostname
printf '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s\n' "$1" >/etc/hosts
echo 'nameserver 123.45.200.10' >/etc/resolv.conf
# An empty id would make this a first boot, which enables every unit that is installed.
echo "$2" >/etc/machine-id

# Otherwise a machine that never booted catches up with its packages at its first boot: users, libraries, catalogs.
touch -r /usr /etc/.updated /var/.updated

# These would reach through to the outer machine's devices, modules and binary formats.
mask() { for unit; do ln -sf /dev/null "/etc/systemd/system/$unit"; done; }
mask systemd-udevd.service systemd-udev-trigger.service systemd-udev-settle.service \
	systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-modules-load.service kmod-static-nodes.service \
	systemd-binfmt.service proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount systemd-random-seed.service \
	sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
	dev-hugepages.mount systemd-pstore.service systemd-hwdb-update.service systemd-timesyncd.service
# These would configure the interfaces, which is the provider's part here.
mask systemd-networkd.service systemd-networkd.socket NetworkManager.service networking.service \
	systemd-resolved.service dnsmasq.service ifupdown-pre.service
# These only cost time.
mask getty.target console-getty.service systemd-logind.service systemd-firstboot.service systemd-repart.service \
	systemd-journal-flush.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
	systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-ask-password-console.path \
	systemd-ask-password-wall.path systemd-tmpfiles-clean.timer

# nspawn leaves /sys read-only (superblock and all), but libvirt configures its bridges there.
cat >/etc/systemd/system/lab-sysfs.service <<'UNIT'
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=mount -o remount,rw /sys/devices
ExecStart=mount -o remount,rw /sys/class
UNIT
mkdir -p /etc/systemd/system/sysinit.target.wants
ln -s ../lab-sysfs.service /etc/systemd/system/sysinit.target.wants/

systemctl --quiet set-default multi-user.target 2>/dev/null
