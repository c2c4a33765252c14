/**
 * Budgets for each bridge that only nftables can count. Both backends use its tables; a host without nft has none of these
 * limits, and `hnet doctor` says so.
 *
 * Goals: a constant number of rules, each bridge with a budget of its own, and no cost for packets that take nothing.
 */
import type { Config } from '../../model/config.ts';
import { type Counter, plus, ZERO } from '../../model/counter.ts';
import type { FilterView, View } from '../../model/view.ts';
import { type Action, nft } from '../../resources/action.ts';
import { ABSENT, type Finding, overall, PRESENT, type Resource } from '../../resources/resource.ts';
import { RULESET } from '../foreign/parse-nft.ts';
import type { Look } from '../rules/backend.ts';
import { markOf, probeChain } from '../rules/fingerprint.ts';
import { type Budget, budgetTables } from './budget-tables.ts';
import { parseListing } from './listing.ts';

type Pools = Pick<Config, 'pools'>;

const LIMIT = '/proc/sys/net/netfilter/nf_conntrack_max';
/** The kernel's default, where connection tracking isn't loaded yet. */
const USUAL = 262_144;

/** One resource for each table. What the limits are depends on the host. */
export const budgets = ({ pools }: Pools): Resource[] =>
  budgetTables({ pools, connections: USUAL }).map(({ family, label }, index) => {
    const on = ({ sysctl }: View): Budget[] =>
      budgetTables({ pools, connections: Number(sysctl(LIMIT)) || USUAL }).slice(index, index + 1);
    return {
      key: `table ${family} hnet`,
      label,
      probe: view => overall(on(view).map(budget => probe(budget, view.filter))),
      up: view => on(view).flatMap(up),
      down: ({ filter }) => (stands(filter, family) ? [nft('delete', 'table', `${family} hnet`)] : []),
    };
  });

function probe(budget: Budget, { budgets: actual }: FilterView): Finding {
  // Not read, or there is no nft.
  if (actual === undefined) return PRESENT;
  const linesIn = (chain: string) => actual.get(`${budget.family} ${chain}`);
  return overall(
    budget.meters.flatMap(({ name, rules }) => [
      probeChain({ name, lines: rules }, markFor(budget), linesIn(name)),
      linesIn(pointOf(name))?.length === 1 ? PRESENT : ABSENT,
    ]),
  );
}

/** A set can't be changed, so the table is made anew, in one transaction. */
function up(budget: Budget): Action[] {
  const table = `${budget.family} hnet`;
  return [
    ...['add', 'delete', 'add'].map(verb => nft(verb, 'table', table)),
    ...Object.entries(budget.sets).map(([name, spec]) => nft('add', 'set', table, name, `{ ${spec} }`)),
    ...budget.meters.flatMap(({ name, hook, seen, rules }) => [
      nft('add', 'chain', table, name),
      nft('add', 'chain', table, pointOf(name), `{ type ${hook}; policy accept; }`),
      nft('add', 'rule', table, pointOf(name), `${seen} goto ${name}`),
      ...marked(rules, markFor(budget)).map(line => nft('add', 'rule', table, name, line)),
    ]),
  ];
}

const markFor = ({ sets, meters }: Budget): string => markOf(JSON.stringify([sets, meters]));
const pointOf = (name: string): string => `at-${name}`;

/** The last rule carries the fingerprint. */
const marked = (rules: readonly string[], mark: string): string[] =>
  rules.map((line, index) => (index === rules.length - 1 ? `${line} comment "${mark}"` : line));

const stands = ({ budgets: actual }: FilterView, family: Budget['family']): boolean =>
  [...(actual?.keys() ?? [])].some(key => key.startsWith(`${family} `));

/** The chains of these tables in what `nft -j list ruleset` prints; undefined for an empty text, where there is no nft. */
export const readBudgets = (listing: string): FilterView['budgets'] =>
  listing === '' ? undefined : parseListing(listing, true, ['arp', 'inet']).chains;

/** A look at a filter, with these tables. */
export const withBudgets = ({ commands, parse }: Look): Look => ({
  commands: [...commands, { argv: RULESET, failsIfEmpty: true }],
  parse: outputs => ({ ...parse(outputs.slice(0, -1)), budgets: readBudgets(outputs.at(-1) ?? '') }),
});

/** The command that lists the bridges which have exceeded a budget lately, and why their packets are dropped. */
export const exceededBudgets = ({
  pools,
}: Pools): { readonly argv: readonly string[]; readonly cause: string }[] =>
  budgetTables({ pools, connections: USUAL }).flatMap(({ family, meters }) =>
    meters.map(({ over, cause }) => ({ argv: ['nft', '-j', 'list', 'set', family, 'hnet', over], cause })),
  );

/** Packets that these tables have dropped, by cause; zero where there are none. */
export function dropsOfBudgets(
  { pools }: Pools,
  { budgets: actual }: Pick<FilterView, 'budgets'>,
): Map<string, Counter> {
  const counted = (key: string): Counter =>
    (actual?.get(key) ?? []).map(({ counter }) => counter).reduce(plus, ZERO);
  return new Map(
    budgetTables({ pools, connections: USUAL }).flatMap(({ family, meters }) =>
      meters.map(({ name, cause }) => [cause, counted(`${family} ${name}`)] as const),
    ),
  );
}
