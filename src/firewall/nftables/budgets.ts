/**
 * What one bridge may take of the host's tables that all bridges share, where only nftables can count it. Both backends use
 * these tables; a host without nft has none of these limits, and `hnet doctor` says so.
 *
 * Goals: a constant number of rules, each bridge with a budget of its own, and no cost for packets that take nothing.
 */
import { format } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { type Counter, plus, ZERO } from '../../model/counter.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import type { FilterView, RuleLine } from '../../model/view.ts';
import { nft } from '../../resources/action.ts';
import { ABSENT, overall, PRESENT, type Resource } from '../../resources/resource.ts';
import { markOf, probeChain } from '../rules/fingerprint.ts';
import { CAUSES } from '../rules/rules.ts';
import { parseListing } from './listing.ts';

/** A table of its own, for a family that no other table of ours is in. */
interface Budget {
  readonly family: 'arp' | 'inet';
  readonly label: string;
  readonly sets: Readonly<Record<string, string>>;
  readonly meters: readonly Meter[];
}

/** A chain that counts, the hook it hangs on, and which packets of the hook it sees. */
interface Meter {
  readonly hook: string;
  readonly seen: string;
  readonly name: string;
  readonly rules: readonly string[];
  readonly cause: string;
}

/** How many senders of ARP requests a bridge may have at first, and how many more in a minute. */
const SENDERS = 32;
const FURTHER = 16;
/** For so many seconds after its last request a sender is known. */
const KNOWN = 120;

/**
 * Each sender of an ARP request gets an entry in the host's neighbour table if it is routed back to its bridge: all
 * addresses of the bridge's scope are. Known senders aren't limited, so a guest that asks for many doesn't lose its gateway.
 * Addresses of the pools are a domain's own, and as many as it was assigned.
 */
const senders = ({ pools }: Pick<Config, 'pools'>): Budget => ({
  family: 'arp',
  label: 'limit of ARP senders',
  sets: {
    'hnet-senders': `type iface_index . ipv4_addr; size 65536; flags dynamic, timeout; timeout ${KNOWN}s;`,
    'hnet-new-senders': `type iface_index; size 4096; flags dynamic, timeout; timeout ${KNOWN}s;`,
  },
  meters: [
    {
      hook: 'type filter hook input priority 0',
      seen: `iifgroup ${DEVICE_GROUP} arp operation request`,
      name: 'hnet-senders',
      rules: [
        ...pools.filter(({ family }) => family === 4).map(pool => `arp saddr ip ${format(pool)} return`),
        'iif . arp saddr ip @hnet-senders update @hnet-senders { iif . arp saddr ip } return',
        `update @hnet-new-senders { iif limit rate over ${FURTHER}/minute burst ${SENDERS} packets } counter drop`,
        'update @hnet-senders { iif . arp saddr ip }',
      ],
      cause: CAUSES.senders,
    },
  ],
});

export const budgets = (config: Pick<Config, 'pools'>): Resource[] => [senders(config)].map(resource);

function resource({ family, label, sets, meters }: Budget): Resource {
  const table = `${family} hnet`;
  const mark = markOf(JSON.stringify([sets, meters]));
  const pointOf = ({ name }: Meter): string => `at-${name}`;
  return {
    key: `table ${table}`,
    label,
    probe: ({ filter: { budgets: actual } }) => {
      // Not read, or there is no nft.
      if (actual === undefined) return PRESENT;
      const linesIn = (chain: string) => actual.get(`${family} ${chain}`);
      return overall(
        meters.flatMap(meter => [
          probeChain({ name: meter.name, lines: meter.rules }, mark, linesIn(meter.name)),
          linesIn(pointOf(meter))?.length === 1 ? PRESENT : ABSENT,
        ]),
      );
    },
    // A set can't be changed, so the table is made anew, in one transaction.
    up: () => [
      ...['add', 'delete', 'add'].map(verb => nft(verb, 'table', table)),
      ...Object.entries(sets).map(([name, spec]) => nft('add', 'set', table, name, `{ ${spec} }`)),
      ...meters.flatMap(meter => [
        nft('add', 'chain', table, meter.name),
        nft('add', 'chain', table, pointOf(meter), `{ ${meter.hook}; policy accept; }`),
        nft('add', 'rule', table, pointOf(meter), `${meter.seen} goto ${meter.name}`),
        ...marked(meter.rules, mark).map(line => nft('add', 'rule', table, meter.name, line)),
      ]),
    ],
    down: ({ filter }) => (stands(filter, family) ? [nft('delete', 'table', table)] : []),
  };
}

/** The last rule carries the fingerprint. */
const marked = (rules: readonly string[], mark: string): string[] =>
  rules.map((line, index) => (index === rules.length - 1 ? `${line} comment "${mark}"` : line));

const stands = ({ budgets: actual }: FilterView, family: Budget['family']): boolean =>
  [...(actual?.keys() ?? [])].some(key => key.startsWith(`${family} `));

/** The chains of these tables in what `nft -j list ruleset` prints; undefined for an empty text, where there is no nft. */
export const readBudgets = (listing: string): FilterView['budgets'] =>
  listing === '' ? undefined : parseListing(listing, true, ['arp', 'inet']).chains;

/** Packets that these tables have dropped, by cause. */
export function dropsOfBudgets(config: Pick<Config, 'pools'>, listing: string): Map<string, Counter> {
  const actual = readBudgets(listing);
  const meters = [senders(config)].flatMap(({ family, meters }) => meters.map(meter => ({ family, meter })));
  return new Map(
    meters.map(({ family, meter }) => [meter.cause, sum(actual?.get(`${family} ${meter.name}`) ?? [])]),
  );
}

const sum = (lines: readonly RuleLine[]): Counter => lines.map(({ counter }) => counter).reduce(plus, ZERO);
