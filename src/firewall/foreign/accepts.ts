/** What our accepts in other people's chains let through, in the words of each tool. */
import { format } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { UNROUTED } from '../../model/reserved.ts';
import type { Point } from '../../model/view.ts';

/** The matches of an accept rule of ours, in the words of nft and of iptables. */
export interface Accept {
  readonly nft: string;
  readonly iptables: string;
}

const GROUP = `0x${DEVICE_GROUP.toString(16)}`;

const ENTERING: Accept = { nft: `iifgroup ${DEVICE_GROUP}`, iptables: `-m devgroup --src-group ${GROUP}` };
const LEAVING: Accept = { nft: `oifgroup ${DEVICE_GROUP}`, iptables: `-m devgroup --dst-group ${GROUP}` };

/** DHCP at the host (RFC 2131, 4.1; RFC 8415, 7.2), and for IPv6 the discovery of neighbours and routers. */
const AT_HOST: Readonly<Record<Family, Readonly<Record<'input' | 'output', readonly Accept[]>>>> = {
  4: { input: [udp(ENTERING, 68, 67)], output: [udp(LEAVING, 67, 68)] },
  6: {
    input: [udp(ENTERING, 546, 547), ...[133, 135, 136].map(type => icmp6(ENTERING, type))],
    output: [udp(LEAVING, 547, 546), ...[134, 135, 136].map(type => icmp6(LEAVING, type))],
  },
};

/** What {@link natChains} keeps, in a chain that comes before ours. iptables has no such chains. */
function untranslated(pool: Prefix): Accept[] {
  const words = pool.family === 4 ? 'ip' : 'ip6';
  const unrouted = UNROUTED[pool.family].map(format).join(', ');
  return [
    { nft: `${words} saddr ${format(pool)}`, iptables: '' },
    {
      nft: `${words} daddr ${format(pool)} ${words} saddr != { ${unrouted} } ct status & dnat == 0`,
      iptables: '',
    },
  ];
}

function udp({ nft, iptables }: Accept, from: number, to: number): Accept {
  const words = `-p udp ${iptables} -m udp --sport ${from} --dport ${to}`;
  return { nft: `${nft} udp sport ${from} udp dport ${to}`, iptables: words };
}

function icmp6({ nft, iptables }: Accept, type: number): Accept {
  const words = `-p ipv6-icmp ${iptables} -m icmp6 --icmpv6-type ${type}`;
  return { nft: `${nft} icmpv6 type ${type}`, iptables: words };
}

/** What a host of a cluster passes on for domains of other hosts, between the wire and any uplink, or back on the wire. */
function relayed(families: readonly Family[], { pools, cluster }: Config): Accept[] {
  if (cluster === undefined) return [];
  const device = cluster.wire;
  return pools
    .filter(({ family }) => families.includes(family))
    .flatMap(pool => {
      const [words, text] = [pool.family === 4 ? 'ip' : 'ip6', format(pool)];
      return [
        { nft: `oifname "${device}" ${words} daddr ${text}`, iptables: `-d ${text} -o ${device}` },
        { nft: `iifname "${device}" ${words} saddr ${text}`, iptables: `-s ${text} -i ${device}` },
      ];
    });
}

/** What must be accepted in a chain on a hook. */
export function acceptsAt(point: Point, families: readonly Family[], config: Config): readonly Accept[] {
  const { pools } = config;
  if (point === 'forward') return [ENTERING, LEAVING, ...relayed(families, config)];
  if (point !== 'postrouting') return families.flatMap(family => AT_HOST[family][point]);
  return pools.filter(({ family }) => families.includes(family)).flatMap(untranslated);
}
