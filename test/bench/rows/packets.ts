import type { Lab } from '../../lab/lab.ts';
import type { Machine } from '../../lab/machine.ts';
import { atLeast, type Comparison, type Figure, figure, ratio } from '../figure.ts';
import { costOf, type Flows, pump } from '../pump.ts';
import { alternate } from '../rounds.ts';
import { bareRouter, costThrough, ownRouter, pairRouter, type Router } from '../routers.ts';
import { type Bench, inLab, type Row } from '../row.ts';

/** Forwarding 64-byte UDP from the provider to a guest: what a packet costs, by what filters it. */
export const packets: Row = {
  name: 'packets',
  title: 'packets a processor forwards in a second, without what their generator costs',
  needs: { trafgen: 'netsniff-ng' },
  run: bench =>
    inLab(async lab => {
      const many = bench.quick ? 1000 : 4000;
      bench.step(`  hosts with ${many} addresses`);
      const routers = await build(lab, many);
      const figures: Figure[] = [];
      for (const flows of ['one flow', '30,000 flows'] as const) {
        figures.push(...(await measure(lab.gateway, routers, many, flows, bench)));
      }
      return figures;
    }),
};

const KINDS = ['iptables-nft', 'iptables-legacy'] as const;
const BACKENDS = [...KINDS, 'nftables'] as const;
type Name = 'bare' | `${(typeof BACKENDS)[number]} ${'1' | 'many'}` | `${(typeof KINDS)[number]} pairs`;

async function build(lab: Lab, many: number): Promise<Record<Name, Router>> {
  const routers: [Name, Router][] = [['bare', await bareRouter(lab, 'h1')]];
  const next = () => `h${routers.length + 1}`;
  for (const backend of BACKENDS) {
    routers.push([`${backend} 1`, await ownRouter(lab, next(), 1, backend)]);
    routers.push([`${backend} many`, await ownRouter(lab, next(), many, backend)]);
  }
  for (const kind of KINDS) routers.push([`${kind} pairs`, await pairRouter(lab, next(), many, kind)]);
  return Object.fromEntries(routers) as Record<Name, Router>;
}

async function measure(
  sender: Machine,
  routers: Record<Name, Router>,
  many: number,
  flows: Flows,
  { quick }: Bench,
) {
  // The first packet of a flow costs more than its next ones: connection tracking notes it. Let all be known.
  for (const each of Object.values(routers)) await costThrough(sender, each, flows);
  const variants = Object.entries(routers).map(([name, each]) => [
    name,
    () => costThrough(sender, each, flows),
  ]);
  const costs = await alternate<Name | 'generator', number>(
    { ...Object.fromEntries(variants), generator: () => generator(sender, routers.bare, flows) },
    quick ? 3 : 12,
  );
  const rates = (name: Name) =>
    costs[name].map((cost, round) => 1000 / (cost - (costs.generator[round] ?? Number.NaN)));
  const bare = rates('bare');
  const besideBare = (name: Name): Comparison[] => [
    ratio(rates(name), bare, 'of a bare route'),
    ratio(costs.bare, costs[name], 'of it with the generator', ours(name) ? atLeast(0.87) : undefined),
  ];
  const line = (what: string, name: Name, ...more: Comparison[]) =>
    figure(`${flows}: ${what}`, 'k/s', rates(name), [...(name === 'bare' ? [] : besideBare(name)), ...more]);
  return [
    figure(
      `${flows}: the generator by itself`,
      'k/s',
      costs.generator.map(cost => 1000 / cost),
    ),
    line('bare route', 'bare'),
    ...BACKENDS.flatMap(backend => {
      const growth = ratio(rates(`${backend} many`), rates(`${backend} 1`), 'of one address', atLeast(0.95));
      return [
        line(`hnet, ${backend}, 1 address`, `${backend} 1`),
        line(`hnet, ${backend}, ${many} addresses`, `${backend} many`, growth),
      ];
    }),
    ...KINDS.map(kind => line(`a pair of rules each, ${kind}, ${many} addresses`, `${kind} pairs`)),
  ];
}

const ours = (name: Name): boolean => !name.endsWith('pairs');

/** Sends to a MAC that is nobody's: the packets cross the cable and end there. */
async function generator(sender: Machine, { host, cable, to }: Router, flows: Flows): Promise<number> {
  const received = async () => Number(await host.read('/sys/class/net/eth0/statistics/rx_packets'));
  return costOf(await pump(sender, cable, { ...to, mac: '52:54:00:ff:ff:ff' }, flows, received));
}
