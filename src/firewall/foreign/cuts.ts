/**
 * Finds chains of others that let nothing pass before packets are routed, or at a bridge: nft's families bridge, arp and
 * netdev (ebtables is the first of these), and hooks before routing. What they drop, no accept of ours saves, so they are
 * only told of. Whatever accepts something, or leads to another chain, may let through what domains need.
 */
import type { Cut, ForeignChain, ForeignTable } from '../../model/view.ts';

/** Which packets nft's families see. */
const SEEN: Readonly<Record<string, Cut['families']>> = {
  bridge: [4, 6],
  arp: [4],
  netdev: [4, 6],
  inet: [4, 6],
  ip: [4],
  ip6: [6],
};

/** The hooks that what a domain sends or gets passes, and at which no accept of ours may be. */
const HOOKS: Readonly<Record<string, readonly string[]>> = {
  bridge: ['prerouting', 'input', 'output', 'postrouting'],
  arp: ['input', 'output'],
  netdev: ['ingress', 'egress'],
  inet: ['ingress', 'egress', 'prerouting'],
  ip: ['prerouting'],
  ip6: ['prerouting'],
};

export const cutsIn = (tables: readonly ForeignTable[]): Cut[] =>
  tables
    .filter(({ isDormant }) => !isDormant)
    .flatMap(table => [...table.chains].flatMap(([name, chain]) => cutBy(table, name, chain)));

function cutBy(
  { family, name: table }: ForeignTable,
  chain: string,
  { filters, rules }: ForeignChain,
): Cut[] {
  if (filters === undefined || !HOOKS[family]?.includes(filters.hook)) return [];
  if (rules.some(({ effect }) => effect !== 'pass' && effect !== 'block')) return [];
  const drops = [
    ...rules.filter(({ effect }) => effect === 'block').map(({ conditions }) => conditions),
    ...(filters.drops ? [[]] : []),
  ];
  const total = drops.find(conditions => conditions.every(({ is }) => is === 'device'));
  if (total === undefined) return [];
  const named = total.flatMap(one => (one.is === 'device' ? one.names : []));
  const devices = named.length > 0 ? named : filters.devices;
  return [
    {
      ...{ table: `${family} ${table}`, chain },
      families: SEEN[family] ?? [],
      devices: devices.length > 0 ? devices : undefined,
    },
  ];
}
