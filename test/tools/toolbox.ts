import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../lab/machine.ts';
import { run } from '../lab/run.ts';

/**
 * The programs that read what hnet generates, for guests and for Prometheus, or that speak DHCP in them. They are taken
 * out of their packages and laid over a machine of the lab, never installed: on a machine with a running systemd,
 * installing network-manager or cloud-init hands them its network.
 */
const PACKAGES = [
  'ifupdown',
  'netplan.io',
  'network-manager',
  'isc-dhcp-client',
  'dhcpcd-base',
  'cloud-init',
  'systemd',
  'dbus',
  'xorriso',
  'genisoimage',
  'prometheus-node-exporter',
];

const INSTALLED = execFileSync('dpkg-query', ['-W', '-f', `\${db:Status-Status} \${Package}\n`], {
  encoding: 'utf8',
}).split('\n');
/** Those that this machine has are in the machines of the lab too; what it installs or removes later makes another tree. */
const MISSING = PACKAGES.filter(name => !INSTALLED.includes(`installed ${name}`));

const HOME = fileURLToPath(new URL('../../.cache/tools', import.meta.url));
export const TREE = join(HOME, `tree-${MISSING.join('-')}`);

/**
 * $0 is where to work, the arguments are packages. `apt-get --simulate` names those that this machine lacks, what
 * they depend on included. The merge afterwards is usrmerge's: /usr is what gets laid over.
 */
const FETCH = `
cd "$0"
plan=$(apt-get --simulate --no-install-recommends install "$@")
missing=$(printf '%s\\n' "$plan" | sed -n 's/^Inst \\([^ ]*\\) .*/\\1/p')
mkdir -p tree/usr tree/etc
test -z "$missing" || apt-get download -q -o APT::Sandbox::User=root $missing
for deb in *.deb; do if test -e "$deb"; then dpkg-deb --extract "$deb" tree; fi; done
for dir in bin sbin lib; do
  if test -d "tree/$dir"; then mkdir -p "tree/usr/$dir"; cp -a "tree/$dir/." "tree/usr/$dir/"; fi
done
`;

/** Fetches the programs once; later runs need no network. */
export async function fetchTools(): Promise<void> {
  if (existsSync(TREE)) return;
  await mkdir(HOME, { recursive: true });
  const work = await mkdtemp(join(HOME, 'fetch-'));
  try {
    await run(['sh', '-ec', FETCH, work, ...MISSING], { limit: 300_000 });
    await rename(join(work, 'tree'), TREE).catch(error => {
      if (!existsSync(TREE)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Lays the programs over a machine's own /usr and /etc; they go with the machine.
 * @param tree where the machine sees them
 */
export async function equip(machine: Machine, tree = TREE): Promise<void> {
  await machine.sh(`
    mount -t overlay overlay -o 'lowerdir=${tree}/usr:/usr' /usr
    cp -a '${tree}/etc/.' /etc/
    rm -rf /etc/network/interfaces.d /etc/netplan /etc/NetworkManager/system-connections /etc/systemd/network
    mkdir -p /etc/network /etc/netplan /etc/systemd/network /run/network
    ldconfig`);
}
