import { chooseIptables } from '../crowded.ts';
import { type Figure, figure, ratio } from '../figure.ts';
import { alternate } from '../rounds.ts';
import { bareRouter, costThrough, ownRouter, type Router } from '../routers.ts';
import { inLab, type Row } from '../row.ts';

/** Both hold single addresses alone, as most of ours do: with nftables they are hashes. */
const SETS = ['in', 'tracked'];
const ADDRESS = '10.32.0.0';
/** Never a source from outside. */
const OURS = ['10.64.0.0/10', '10.33.0.0/16'];

/**
 * What a filter can't do without, each step with all before it: so it shows what the kernel itself takes for that. The
 * last is written by hand, for this one packet: is its source ours, is its destination assigned and without rules, forward it.
 */
const IPTABLES = {
  'one rule in raw': ['-t raw -A PREROUTING -i eth0 -j ACCEPT'],
  'the tracker there, told to leave all alone': ['-t raw -A PREROUTING -i eth0 -j CT --notrack'],
  'one set asked first': ['-t raw -A PREROUTING -i eth0 -m set --match-set in dst -j CT --notrack'],
  'the least that filters': [
    ...OURS.map(range => `-t raw -A PREROUTING -s ${range} -j DROP`),
    '-t raw -A PREROUTING -m set --match-set in dst -m set ! --match-set tracked dst -j CT --notrack',
    '-A FORWARD -i eth0 -m devgroup --dst-group 0 -m conntrack --ctstate UNTRACKED -j ACCEPT',
  ],
};

const NFTABLES = {
  'one rule in raw': ['raw iifname eth0 accept'],
  'the tracker there, told to leave all alone': ['raw iifname eth0 notrack', 'forward ct state invalid drop'],
  'one set asked first': ['raw iifname eth0 ip daddr @in notrack', 'forward ct state invalid drop'],
  'the least that filters': [
    ...OURS.map(range => `raw ip saddr ${range} drop`),
    'raw ip daddr @in ip daddr != @tracked notrack',
    'forward iifname eth0 oifgroup 0 ct state untracked accept',
  ],
};

const script = {
  iptables: (rules: readonly string[]) => [
    ...SETS.map(name => `ipset create ${name} hash:net ${name === 'in' ? 'counters' : ''}`),
    `ipset add in ${ADDRESS}`,
    ...rules.map(rule => `iptables ${rule}`),
  ],
  nftables: (rules: readonly string[]) => [
    'nft add table t',
    ...SETS.map(name => `nft 'add set t ${name} { type ipv4_addr; ${name === 'in' ? 'counter;' : ''} }'`),
    `nft 'add element t in { ${ADDRESS} }'`,
    "nft 'add chain t raw { type filter hook prerouting priority raw; }'",
    "nft 'add chain t forward { type filter hook forward priority filter; }'",
    ...rules.map(rule => `nft 'add rule t ${rule}'`),
  ],
};

/** What each part of a filter costs a packet, and how much of that is the kernel's, whatever the rules. */
export const steps: Row = {
  name: 'steps',
  title: 'what the parts of a filter cost a packet (one flow)',
  needs: { trafgen: 'netsniff-ng' },
  run: ({ quick, step }) =>
    inLab(async lab => {
      const routers = new Map<string, Router>();
      const next = () => `h${routers.size + 1}`;
      const add = async (
        name: string,
        kind: 'iptables-nft' | 'iptables-legacy' | undefined,
        lines: string[],
      ) => {
        const router = await bareRouter(lab, next());
        if (kind !== undefined) await chooseIptables(router.host, kind);
        await router.host.sh(lines.join('\n'));
        routers.set(name, router);
      };
      await add('bare route', undefined, []);
      for (const kind of ['iptables-legacy', 'iptables-nft', 'nftables'] as const) {
        step(`  ${kind}`);
        const native = kind === 'nftables';
        for (const [what, rules] of Object.entries(native ? NFTABLES : IPTABLES))
          await add(
            `${kind}: ${what}`,
            native ? undefined : kind,
            script[native ? 'nftables' : 'iptables'](rules),
          );
        routers.set(`${kind}: hnet`, await ownRouter(lab, next(), 1, kind));
      }
      const variants = [...routers].map(([name, router]) => [
        name,
        () => costThrough(lab.gateway, router, 'one flow'),
      ]);
      const costs = await alternate<string, number>(Object.fromEntries(variants), quick ? 3 : 10);
      return [...routers.keys()].map(name => line(name, costs));
    }),
};

function line(name: string, costs: Readonly<Record<string, number[]>>): Figure {
  const [own = [], bare = []] = [costs[name], costs['bare route']];
  const nanoseconds = own.map(cost => cost * 1000);
  return figure(name, 'ns', nanoseconds, name === 'bare route' ? [] : [ratio(bare, own, 'of a bare route')]);
}
