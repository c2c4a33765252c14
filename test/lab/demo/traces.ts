import type { Hypervisor } from '../hypervisor.ts';
import { until } from '../wait.ts';
import { insist } from './terminal.ts';

/** In milliseconds: entries of some sets leave by themselves, seconds after what they were made for. */
const LEAVING = 60_000;

/** @param before what `look` said of the traces before */
export async function insistSame(
  before: string,
  look: () => Promise<string>,
  otherwise: string,
): Promise<void> {
  const isSame = async () => (await look()) === before;
  await until(isSame, LEAVING, 'what leaves by itself').catch(() => undefined);
  const after = await look();
  const [old, now] = [before.split('\n'), after.split('\n')];
  const gone = old.filter(line => !now.includes(line)).map(line => `- ${line}`);
  const added = now.filter(line => !old.includes(line)).map(line => `+ ${line}`);
  insist(before === after, [otherwise, ...gone, ...added].join('\n'));
}

/**
 * Everything that hnet could leave behind: links, routes, rules and chains, sets, DHCP servers. Forwarding stays on, and
 * with it the kernel keeps the anycast addresses of a router.
 */
export async function traces(hypervisor: Hypervisor): Promise<string> {
  return hypervisor.sh(`ip -br link; ip route show table all | grep -v '^anycast'; ipset save
    { iptables-save; ip6tables-save; } | grep -E '^(-A|:[^A-Z])' || true
    for pid in /proc/[0-9]*; do tr '\\0' ' ' <"$pid/cmdline" | grep '^dnsmasq' || true; done`);
}
