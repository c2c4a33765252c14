/** What keeps packets of an address from passing although the routes are right: a lookup says nothing of it. Pure. */
import { CONFIG_FILE } from '../model/names.ts';
import { contains } from '../model/prefix.ts';
import { shellWord } from '../model/shell.ts';
import { lacksGateway, type Uplinks, uplinksOf } from '../model/uplink.ts';
import type { Cause } from '../model/verdict.ts';
import type { Cut, IpsecPolicy, View } from '../model/view.ts';
import { sysctlPath } from '../resources/action.ts';
import { ARP_IGNORE } from '../resources/bridge.ts';
import { nameOf, type Sample, type Way } from './cause.ts';

interface Seen {
  readonly view: View;
  readonly uplinks: Uplinks;
}

/** Each once, by what it says. */
export function obstaclesOf(sample: Sample, { view, uplinks }: Seen): Cause[] {
  const all = [
    ...(sample.address.family === 4 && isDeaf(view) ? [DEAF] : []),
    ...cuts(sample, view),
    ...lonely(sample, view, uplinks),
    ...[...sample.towards, sample.back].flatMap(way => takenByIpsec(way, view)),
  ];
  return [...new Map(all.map(cause => [cause.why, cause])).values()];
}

/**
 * With 8 the host answers no ARP request at all, whatever addresses its interfaces have. With 1 or 2 VMs are served, but not
 * the host itself where its address has a peer (pointopoint): it then answers for none of its own.
 */
const isDeaf = ({ sysctl }: View): boolean => sysctl(ARP_IGNORE) === '8';
export const DEAF: Cause = {
  why: 'arp_ignore is 8 for all interfaces: the host answers no ARP request, and no VM finds its gateway',
  mend: 'sysctl -w net.ipv4.conf.all.arp_ignore=0',
};

/** What somebody else's chain drops before it is routed, or at the bridge. */
function cuts({ address, towards, back }: Sample, { filter, links }: View): Cause[] {
  const bridges = towards.flatMap(({ wanted }) => wanted);
  const ports = [...links].flatMap(([name, { master = '' }]) => (bridges.includes(master) ? [name] : []));
  const own = [...back.wanted, ...bridges, ...ports];
  return (filter.foreign?.cuts ?? [])
    .filter(({ families, devices }) => families.includes(address.family) && isBy(devices, own))
    .map(causeOfCut);
}

const isBy = (patterns: Cut['devices'], names: readonly string[]): boolean =>
  patterns === undefined ||
  patterns.some(one =>
    names.some(name => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one)),
  );

const causeOfCut = ({ table, chain }: Cut): Cause => ({
  why: `chain ${chain} of table ${table}, which is another program's, lets nothing pass`,
  mend: `nft list chain ${[...table.split(' '), chain].map(shellWord).join(' ')}`,
});

/** On a wire without a gateway the host looks for every destination there. */
function lonely({ address }: Sample, { links }: View, uplinks: Uplinks): Cause[] {
  const { family } = address;
  return uplinksOf(address, uplinks)
    .filter(uplink => lacksGateway(family, uplink, links.get(uplink.device)))
    .map(({ device }) => ({
      why: `the uplink ${device} has no IPv${family} gateway: what it sends is looked for on the wire, where nobody answers`,
      mend: `\${EDITOR:-nano} ${CONFIG_FILE}  # gateway = "ADDRESS" under [[uplinks]], beside device = "${device}"`,
    }));
}

/**
 * A packet that is forwarded meets the policies `fwd`, and then `out`. The first of the highest priority decides, which is the
 * smallest number. One that puts packets into a tunnel drops all that haven't come by it.
 */
function takenByIpsec(way: Way, { ipsec = [], sysctl }: View): Cause[] {
  const { packet, wanted } = way;
  const isOff = (devices: readonly string[], key: string): boolean =>
    ['all', ...devices].some(one => sysctl(sysctlPath(`ipv${packet.to.family}`, one, key)) === '1');
  const taking = (direction: string): IpsecPolicy[] => {
    const all = ipsec.filter(one => one.direction === direction && isFor(one, way));
    const first = Math.min(...all.map(({ priority }) => priority));
    return all.filter(one => one.priority === first && one.does !== 'pass');
  };
  return [
    ...(isOff([packet.iif], 'disable_policy') ? [] : taking('fwd')),
    ...(isOff(wanted, 'disable_xfrm') ? [] : taking('out')),
  ].map(({ words, does }) => ({
    why: `the IPsec policy ${words} ${does === 'block' ? 'drops' : 'wants for its tunnel'} ${nameOf(way)}`,
    mend: 'ip xfrm policy',
  }));
}

const isFor = ({ from, to, device }: IpsecPolicy, { packet, wanted }: Way): boolean =>
  contains(from, packet.from) &&
  contains(to, packet.to) &&
  (device === undefined || [packet.iif, ...wanted].includes(device));
