/**
 * The filter in iptables and ipset, in whichever of its two kinds (nf_tables, legacy) the host uses.
 *
 * Goals: nothing of anyone else's is flushed, reordered or given a new policy; our jump stands first in each
 * built-in chain, or a foreign REJECT would precede it; every table changes in one atomic commit.
 *
 * Tension: iptables prints a rule back in a form that differs between its versions, so comparing texts would
 * see drift where there is none. Therefore the last rule of every chain carries a fingerprint of its table, and
 * a chain is as it should be if fingerprint and number of rules are.
 */
import { type Action, ipset, run } from '../action.ts';
import { type Family, format, formatLong, type Prefix } from '../address.ts';
import type { Config } from '../config.ts';
import { digest } from '../names.ts';
import { ABSENT, changed, type Finding, PRESENT, type Resource } from '../resources/resource.ts';
import type { FilterView, RuleLine, View } from '../view.ts';
import { isolation, type SetEntries, setEntries, staticEntries } from './entries.ts';
import { type Firewall, familiesOf, type Guarded, type Look, labelled } from './firewall.ts';
import { parseChains, parseSets, renderRule, setsNamedBy, tableKey, targetOf } from './iptables-text.ts';
import { isTracked, policyChainNames, policyChains } from './policy.ts';
import type { Chain, Entrance, HookPoint, Ruleset, SetSpec } from './rules.ts';
import { ruleset } from './ruleset.ts';
import { DISPATCH, SETTLING, setNames } from './sets.ts';
import type { Uplink } from './uplink.ts';

const TABLES = ['raw', 'filter', 'nat'] as const;
type Table = (typeof TABLES)[number];

const BUILTIN: Readonly<Record<HookPoint, readonly [Table, string]>> = {
  'raw-prerouting': ['raw', 'PREROUTING'],
  'filter-forward': ['filter', 'FORWARD'],
  'filter-input': ['filter', 'INPUT'],
  'filter-output': ['filter', 'OUTPUT'],
  'nat-postrouting': ['nat', 'POSTROUTING'],
};

type Chains = ReadonlyMap<string, readonly RuleLine[]>;

/** Each family has its own tools. */
const TOOL: Readonly<Record<Family, string>> = { 4: 'iptables', 6: 'ip6tables' };

const restore = (table: Table, family: Family, lines: readonly string[]): Action =>
  run([`${TOOL[family]}-restore`, '-w', '10', '--noflush'], [`*${table}`, ...lines, 'COMMIT', ''].join('\n'));

const marked = (line: string, mark: string): string =>
  line.replace(/-[jg] /, target => `-m comment --comment ${mark} ${target}`);

/** The lines of a chain, the last of them with the fingerprint. */
function renderChain({ name, rules }: Chain, family: Family, mark: string): string[] {
  const lines = rules.flatMap(rule => renderRule(rule, family));
  return lines.map((line, index) => `-A ${name} ${index === lines.length - 1 ? marked(line, mark) : line}`);
}

/** One table: our chains in it, and the jumps into them. */
function tableResource(table: Table, rules: Ruleset, family: Family): Resource {
  const chains = rules.chains[table];
  const jumps = rules.entrances
    .filter(({ point }) => BUILTIN[point][0] === table)
    .map(jump => toJump(jump, family));
  const mark = `hnet:${digest(JSON.stringify([chains, jumps], (_, value) => (typeof value === 'bigint' ? String(value) : value)))}`;
  const dispatch = table === 'filter' ? DISPATCH.map(({ name }) => name) : [];
  const key = tableKey(table, family);
  return {
    label: labelled(`${table} table`, family),
    probe: ({ filter }) => {
      const findings = [
        ...chains.map(chain => probeChain(filter.chains, table, chain, family, mark)),
        ...dispatch.map(name => (filter.chains.has(`${key} ${name}`) ? PRESENT : ABSENT)),
        ...jumps.map(({ builtin, line }) => probeJump(filter.chains.get(`${key} ${builtin}`), builtin, line)),
      ];
      return overall(findings);
    },
    up: view => [
      restore(table, family, [
        ...dispatch.filter(name => !view.filter.chains.has(`${key} ${name}`)).map(name => `:${name} - [0:0]`),
        ...chains.map(({ name }) => `:${name} - [0:0]`),
        ...chains.flatMap(chain => renderChain(chain, family, mark)),
        ...oldJumps(key, view),
        ...jumps.map(({ builtin, line }) => `-I ${builtin} 1 ${line}`),
      ]),
    ],
    down: view => {
      const ours = ownChains(key, view);
      const lines = [
        ...ours.map(chain => `:${chain} - [0:0]`),
        ...oldJumps(key, view),
        ...ours.map(chain => `-X ${chain}`),
      ];
      return ours.length === 0 ? [] : [restore(table, family, lines)];
    },
  };
}

function toJump({ point, when, chain }: Entrance, family: Family): { builtin: string; line: string } {
  return {
    builtin: BUILTIN[point][1],
    line: renderRule({ when, verdict: { do: 'jump', chain } }, family)[0] ?? '',
  };
}

function overall(findings: readonly Finding[]): Finding {
  if (findings.every(({ is }) => is === 'absent')) return ABSENT;
  const wrong = findings.find(({ is }) => is !== 'present');
  return wrong === undefined ? PRESENT : wrong.is === 'absent' ? changed('a part of it is missing') : wrong;
}

function probeChain(chains: Chains, table: Table, chain: Chain, family: Family, mark: string): Finding {
  const actual = chains.get(`${tableKey(table, family)} ${chain.name}`);
  const wanted = renderChain(chain, family, mark).length;
  if (actual === undefined) return ABSENT;
  if (actual.length !== wanted) return changed(`${chain.name} has ${actual.length} rules, not ${wanted}`);
  return wanted === 0 || actual.at(-1)?.text.includes(mark)
    ? PRESENT
    : changed(`${chain.name} has other rules`);
}

function probeJump(actual: readonly RuleLine[] = [], builtin: string, jump: string): Finding {
  const places = actual.flatMap(({ text }, index) => (targetOf(text) === targetOf(jump) ? [index] : []));
  if (places.length === 0) return ABSENT;
  return places.length === 1 && places[0] === 0 ? PRESENT : changed(`its jump isn't first in ${builtin}`);
}

/** Our chains that stand in a table, whichever version of hnet made them. */
function ownChains(table: string, { filter }: View): string[] {
  const names = [...filter.chains.keys()].filter(key => key.startsWith(`${table} hnet-`));
  return names.map(key => key.slice(table.length + 1));
}

/** Deletes whatever leads into our chains from built-in ones, as this iptables itself printed it. */
function oldJumps(table: string, { filter }: View): string[] {
  const builtins = [...filter.chains].filter(
    ([key]) => key.startsWith(`${table} `) && !key.startsWith(`${table} hnet-`),
  );
  return builtins.flatMap(([key, rules]) =>
    rules
      .filter(({ text }) => targetOf(text)?.startsWith('hnet-'))
      .map(({ text }) => `-D ${key.slice(table.length + 1)} ${text}`),
  );
}

function set(spec: SetSpec, family: Family): Resource {
  const { name, counters, timeout, ofBridges } = spec;
  const words = [
    ...[ofBridges ? 'hash:net,iface' : 'hash:net', 'family', family === 4 ? 'inet' : 'inet6'],
    ...(counters || ofBridges ? ['counters'] : []),
    ...(timeout === undefined ? [] : ['timeout', String(timeout)]),
    ...['maxelem', '262144'],
  ];
  return {
    label: `set ${name}`,
    probe: ({ filter }) => (filter.sets.has(name) ? PRESENT : ABSENT),
    up: () => [
      ipset('create', name, ...words),
      ...(ofBridges ? [ipset('add', name, EXAMPLE, 'timeout', '0')] : []),
    ],
    down: () => [ipset('destroy', name)],
  };
}

/**
 * An entry that a rule adds gets the length of the longest prefix in the set (ipset(8), hash:net): by this one a packet
 * stands for its bridge, and not for its source, of which only the first bit is left.
 */
const EXAMPLE = '8000::/1,lo';

const entries: SetEntries = {
  add: (name, prefix) => ipset('add', name, formatLong(prefix)),
  remove: (name, prefix) => ipset('del', name, formatLong(prefix)),
};

/** The rules of one domain: its chains, reached from the dispatch chains by its addresses. */
function policy(guarded: Guarded, family: Family): Resource {
  const filterKey = tableKey('filter', family);
  const { domain, addresses, scopes, policy: wanted, underway } = guarded;
  const sets = setNames(family);
  const names = policyChainNames(domain);
  const prefixes = [...addresses, ...scopes].filter(one => one.family === family);
  const chains = isTracked(wanted) ? policyChains(domain, wanted, family) : [];
  const mark = `hnet:${digest(chains.flatMap(chain => renderChain(chain, family, '')).join('\n'))}`;
  const dispatch = prefixes.flatMap(prefix =>
    DISPATCH.map(
      ({ name, side, to }) =>
        `-A ${name} ${side === 'source' ? '-s' : '-d'} ${format(prefix)} -g ${names[to]}`,
    ),
  );
  const all = Object.values(names);
  return {
    label: labelled('rules of the domain', family),
    probe: ({ filter }) => {
      const standing = all.filter(name => filter.chains.has(`${filterKey} ${name}`));
      if (chains.length === 0)
        return standing.length === 0 ? PRESENT : changed('it has rules that nobody gave it');
      const reached = DISPATCH.flatMap(({ name }) => filter.chains.get(`${filterKey} ${name}`) ?? []).filter(
        ({ text }) => all.includes(targetOf(text) ?? ''),
      );
      if (standing.length === 0) return ABSENT;
      return overall([
        ...chains.map(chain => probeChain(filter.chains, 'filter', chain, family, mark)),
        reached.length === dispatch.length ? PRESENT : changed('its addresses lead elsewhere'),
      ]);
    },
    up: view => {
      if (chains.length === 0)
        return [...prefixes.map(one => entries.remove(sets.tracked, one)), ...removal(all, family, view)];
      const lines = [
        ...chains.map(({ name }) => `:${name} - [0:0]`),
        ...chains.flatMap(chain => renderChain(chain, family, mark)),
        ...oldDispatch(all, family, view),
        ...dispatch,
      ];
      return [
        restore('filter', family, lines),
        ...(underway ? prefixes.map(one => settle(sets.settling, one)) : []),
        ...prefixes.map(one => entries.add(sets.tracked, one)),
      ];
    },
    down: view => [...prefixes.map(one => entries.remove(sets.tracked, one)), ...removal(all, family, view)],
  };
}

const settle = (name: string, prefix: Prefix): Action =>
  ipset('add', name, formatLong(prefix), 'timeout', String(SETTLING));

function removal(names: readonly string[], family: Family, view: View): Action[] {
  const standing = names.filter(name => view.filter.chains.has(`${tableKey('filter', family)} ${name}`));
  if (standing.length === 0) return [];
  return [
    restore('filter', family, [
      ...standing.map(name => `:${name} - [0:0]`),
      ...oldDispatch(names, family, view),
      ...standing.map(name => `-X ${name}`),
    ]),
  ];
}

function oldDispatch(names: readonly string[], family: Family, { filter }: View): string[] {
  return DISPATCH.flatMap(({ name: dispatch }) =>
    (filter.chains.get(`${tableKey('filter', family)} ${dispatch}`) ?? [])
      .filter(({ text }) => names.includes(targetOf(text) ?? ''))
      .map(({ text }) => `-D ${dispatch} ${text}`),
  );
}

const BOTH: readonly Family[] = [4, 6];
const saved = (families: readonly Family[]): Look['commands'] =>
  families.map(family => ({ argv: [`${TOOL[family]}-save`, '-c'] }));
const chainsOf = (families: readonly Family[], outputs: readonly string[]): FilterView['chains'] =>
  new Map(families.flatMap((family, index) => [...parseChains(outputs[index] ?? '', family)]));

export const iptables = (families: readonly Family[]): Firewall => ({
  name: 'iptables',
  families,
  looks: {
    all: {
      commands: [{ argv: ['ipset', 'save'] }, ...saved(BOTH)],
      parse: ([sets = '', ...chains]) => ({ sets: parseSets(sets), chains: chainsOf(BOTH, chains) }),
    },
    brief: {
      commands: saved(families),
      parse: outputs => {
        const chains = chainsOf(families, outputs);
        return { chains, sets: setsNamedBy(chains) };
      },
    },
    counters: {
      // `ipset restore` takes any of ipset's commands: two sets in one process.
      commands: families.map(family => ({
        argv: ['ipset', 'restore'],
        stdin: `save ${setNames(family).in}\nsave ${setNames(family).out}\n`,
        failsIfEmpty: true,
      })),
      parse: outputs => ({ sets: parseSets(outputs.join('\n')), chains: new Map() }),
    },
  },
  base: (config: Config, uplink: Uplink) =>
    families.flatMap(family => {
      const rules = ruleset(family, config, uplink);
      return [
        ...rules.sets.map(spec => set(spec, family)),
        ...staticEntries(family, config, uplink, entries),
        ...TABLES.filter(table => rules.chains[table].length > 0).map(table =>
          tableResource(table, rules, family),
        ),
      ];
    }),
  chainKey: (table, chain, family) => `${tableKey(table, family)} ${chain}`,
  linesOf: (rule, family) => renderRule(rule, family).length,
  address: prefix => {
    const names = setNames(prefix.family);
    return setEntries(`filter for ${format(prefix)}`, [names.in, names.out], [prefix], entries);
  },
  scope: scope =>
    setEntries(`filter for ${format(scope)}`, [setNames(scope.family).scopes], [scope], entries),
  removeEntry: entries.remove,
  ruledMaps: () => [],
  removeChains: (names, view) => BOTH.flatMap(family => removal(names, family, view)),
  policy: guarded =>
    familiesOf(guarded).flatMap(family => [
      isolation(
        labelled('isolation', family),
        family,
        [...guarded.addresses, ...guarded.scopes],
        guarded.policy.isolate,
        entries,
      ),
      policy(guarded, family),
    ]),
  // The dispatch chains are written anew as a whole, by the rules of the domain.
  release: prefixes =>
    prefixes.flatMap(one => {
      const { tracked, isolated } = setNames(one.family);
      return [entries.remove(tracked, one), entries.remove(isolated, one)];
    }),
});
