import type { Machine } from '../lab/machine.ts';

/**
 * The files below some directories, a line each: type, mode, owner, path, a link's target, and what tells whether the
 * file was written: its time and size, or its contents alone. Directories' own times change with what passes through them.
 */
export async function files(
  machine: Machine,
  directories: readonly string[],
  by: 'time' | 'contents' = 'time',
): Promise<string[]> {
  const format = by === 'time' ? '%s %T@' : '';
  const prune = OTHERS.map(path => `-path ${path} -prune -o`).join(' ');
  const find = `find ${directories.join(' ')} ${prune}`;
  const list = await machine.sh(
    [
      `${find} -type d -printf 'd %m %u %p\\n'`,
      `${find} ! -type d -printf '%y %m %u %p %l ${format}\\n'`,
      by === 'time' ? ':' : `${find} -type f -print0 | xargs -0 md5sum`,
    ].join('\n'),
  );
  return list.split('\n').sort();
}

/** What libvirt, systemd and the lab's VMs write while they run. */
const OTHERS = ['/var/lib/libvirt', '/var/lib/systemd', '/etc/libvirt/qemu', '/var/lib/dpkg', '/var/lib/apt'];
