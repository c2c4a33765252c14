import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { attempt } from '../lab/run.ts';

/** On what the figures were measured, and with which versions: without that they mean nothing. */
export async function describeMachine(): Promise<Record<string, string>> {
  const [cpu] = cpus();
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const commit = (await first(['git', 'rev-parse', '--short', 'HEAD'])).trim();
  return {
    machine: `${cpu?.model.trim() ?? 'unknown'}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    kernel: release(),
    hnet: commit === '' ? version : `${version} (${commit})`,
    node: `${process.versions.node}, private ${(await first([privateNode(), '--version'])).slice(1) || 'none'}`,
    libvirt: await first(['libvirtd', '--version']),
    qemu: await first(['qemu-system-x86_64', '--version']),
    iptables: await first(['iptables', '--version']),
    nft: await first(['nft', '--version']),
    dnsmasq: await first(['dnsmasq', '--version']),
    load: readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' '),
  };
}

/** The runtime that comes with hnet, for hosts whose own is missing or older. */
export function privateNode(): string {
  const path = `../../node_modules/node-linux-${process.arch}/bin/node`;
  return new URL(path, import.meta.url).pathname;
}

async function first(argv: readonly string[]): Promise<string> {
  const { code, stdout } = await attempt(argv);
  const [line = ''] = code === 0 ? stdout.split('\n') : [];
  return line
    .replace(/^(libvirtd \(libvirt\)|QEMU emulator version|iptables|nftables|Dnsmasq version) /, '')
    .replace(/ {2}Copyright.*/, '');
}
