/** Our chains in the tables of iptables, and the jumps into them: what exists whether a domain runs or not. */
import { exactJson } from '../../model/json.ts';
import type { Family } from '../../model/prefix.ts';
import type { FilterView, RuleLine } from '../../model/view.ts';
import type { Action } from '../../resources/action.ts';
import {
  ABSENT,
  type Finding,
  misplaced,
  overall,
  PRESENT,
  type Resource,
} from '../../resources/resource.ts';
import { markOf, probeChain } from '../rules/fingerprint.ts';
import { isOfDomain } from '../rules/policy-chains.ts';
import { type HookPoint, jump, labelled, rule, type Table } from '../rules/rules.ts';
import type { Ruleset } from '../rules/ruleset.ts';
import { DISPATCH, SUBNETS } from '../rules/sets.ts';
import { type AnyTable, declare, deletion, FORMER, FORWARDS, jumpsAway, restore, written } from './chain.ts';
import { renderRule, tableKey, targetOf } from './text.ts';

export const TABLES = ['raw', 'mangle', 'nat'] as const;

const BUILTIN: Readonly<Record<HookPoint, readonly [Table, string]>> = {
  'raw-prerouting': ['raw', 'PREROUTING'],
  'filter-forward': ['mangle', 'FORWARD'],
  'filter-input': ['mangle', 'INPUT'],
  'filter-output': ['mangle', 'OUTPUT'],
  'nat-postrouting': ['nat', 'POSTROUTING'],
};

type Chains = FilterView['chains'];

/** One table: our chains in it, and the jumps into them. */
export function tableResource(table: Table, rules: Ruleset, family: Family): Resource {
  const contents = contentsOf(table, rules, family);
  return {
    key: `table ${contents.key}`,
    label: labelled(`${table} table`, family),
    probe: ({ filter }) => probe(contents, filter.chains),
    up: ({ filter }) => {
      const finding = probe(contents, filter.chains);
      return [('mayWait' in finding ? placeJumps : install)(contents, filter.chains)];
    },
    down: ({ filter }) => removal(contents, filter.chains),
  };
}

const FILLED_BY_DOMAINS: Readonly<Record<Table, readonly string[]>> = {
  raw: [],
  mangle: [...DISPATCH.map(({ name }) => name), SUBNETS],
  nat: [FORWARDS],
};

/** nftables has no such jumps: there each domain's chains are on the hooks themselves. */
const TO_FORWARDS = ['PREROUTING', 'OUTPUT'].map(builtin => ({ builtin, line: `-j ${FORWARDS}` }));

/** One table of one family, as it shall be. */
type Contents = ReturnType<typeof contentsOf>;

function contentsOf(table: Table, rules: Ruleset, family: Family) {
  const entrances = rules.entrances
    .filter(({ point }) => BUILTIN[point][0] === table)
    .map(({ point, when, chain }) => ({
      builtin: BUILTIN[point][1],
      line: renderRule(rule(jump(chain), ...when), family)[0] ?? '',
    }));
  const jumps = table === 'nat' ? [...entrances, ...TO_FORWARDS] : entrances;
  const mark = markOf(exactJson([rules.chains[table], jumps]));
  const chains = rules.chains[table].map(chain => written(chain, family, mark));
  // These chains are made empty; domains fill them, with their rules, forwards and subnets.
  const dispatch = FILLED_BY_DOMAINS[table];
  return { table, family, chains, jumps, dispatch, key: tableKey(table, family), mark };
}

const probe = ({ chains, jumps, dispatch, key, mark }: Contents, actual: Chains): Finding =>
  overall([
    ...chains.map(chain => probeChain(chain, mark, actual.get(`${key} ${chain.name}`))),
    ...dispatch.map(name => (actual.has(`${key} ${name}`) ? PRESENT : ABSENT)),
    ...jumps.map(({ builtin, line }) => probeJump(actual.get(`${key} ${builtin}`), builtin, line)),
  ]);

/** Its place matters only to packets that a rule before it might lead past it. */
function probeJump(actual: readonly RuleLine[] = [], builtin: string, jump: string): Finding {
  const targets = actual.map(({ text }) => targetOf(text));
  const place = targets.indexOf(targetOf(jump));
  if (place < 0) return ABSENT;
  if (targets.lastIndexOf(targetOf(jump)) > place) return misplaced(`its jump is in ${builtin} twice`);
  return targets.slice(0, place).every(leadsNowhere)
    ? PRESENT
    : misplaced(`another rule comes before its jump in ${builtin}`);
}

/** Targets after which a packet goes on, or nowhere. */
const PLAIN = (
  'AUDIT CHECKSUM CLASSIFY CONNMARK CONNSECMARK CT DROP DSCP ECN HL HMARK IDLETIMER LED LOG MARK NFLOG NOTRACK RATEEST ' +
  'REJECT SECMARK SET TCPMSS TCPOPTSTRIP TEE TOS TRACE TTL ULOG'
).split(' ');

const leadsNowhere = (target: string | undefined): boolean => target === undefined || PLAIN.includes(target);

/** A dispatch chain that exists is left alone: running domains have rules in it. */
const install = ({ table, family, chains, jumps, dispatch, key }: Contents, actual: Chains): Action =>
  restore(table, family, [
    ...dispatch.filter(name => !actual.has(`${key} ${name}`)).map(declare),
    ...chains.map(({ name }) => declare(name)),
    ...chains.flatMap(({ lines }) => lines),
    ...jumpLines({ jumps, key }, actual),
  ]);

/** The chains are in order, and stay as they are. */
const placeJumps = (contents: Contents, actual: Chains): Action =>
  restore(contents.table, contents.family, jumpLines(contents, actual));

const jumpLines = ({ jumps, key }: Pick<Contents, 'jumps' | 'key'>, actual: Chains): string[] => [
  ...oldJumps(key, actual),
  ...jumps.map(({ builtin, line }) => `-I ${builtin} 1 ${line}`),
];

/** Removes all our chains from the table, whichever version of hnet made them. */
const removal = ({ table, family }: Contents, actual: Chains): Action[] =>
  placesOf(table).flatMap(place => removalFrom(place, family, actual));

const placesOf = (table: Table): readonly AnyTable[] => (table === 'mangle' ? [table, FORMER] : [table]);

/** Removes all our chains from one of iptables' tables. */
function removalFrom(table: AnyTable, family: Family, actual: Chains): Action[] {
  const key = tableKey(table, family);
  const names = [...actual.keys()].filter(name => name.startsWith(`${key} hnet-`));
  const ours = names.map(name => name.slice(key.length + 1));
  return deletion(table, family, ours, oldJumps(key, actual));
}

/** Removes what an earlier version has left, once every chain of a domain stands in its new place too. */
export function formerly(families: readonly Family[], actual: Chains): Action[] {
  const isMissing = (key: string): boolean => {
    const [, six = '', name = ''] = /^filter(6?) (hnet-.*)$/.exec(key) ?? [];
    return isOfDomain(name) && !actual.has(`mangle${six} ${name}`);
  };
  if ([...actual.keys()].some(isMissing)) return [];
  return families.flatMap(family => removalFrom(FORMER, family, actual));
}

/** Deletes every jump from a built-in chain into our chains. */
const oldJumps = (key: string, actual: Chains): string[] =>
  [...actual]
    .filter(([name]) => name.startsWith(`${key} `) && !name.startsWith(`${key} hnet-`))
    .flatMap(([name, rules]) =>
      jumpsAway(name.slice(key.length + 1), target => target.startsWith('hnet-'), rules),
    );
