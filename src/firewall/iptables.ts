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
import type { RuleLine, View } from '../view.ts';
import { isolation, type SetEntries, setEntries, staticEntries } from './entries.ts';
import type { Firewall, Guarded } from './firewall.ts';
import { parseChains, parseSets, renderRule, setsNamedBy, targetOf } from './iptables-text.ts';
import { isTracked, policyChainNames, policyChains } from './policy.ts';
import type { Chain, Entrance, HookPoint, Ruleset, SetSpec } from './rules.ts';
import { DISPATCH, ruleset, SETTLING, setNames } from './ruleset.ts';
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

const restore = (table: Table, lines: readonly string[]): Action =>
  run(['iptables-restore', '-w', '10', '--noflush'], [`*${table}`, ...lines, 'COMMIT', ''].join('\n'));

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
  return {
    label: `${table} table`,
    probe: ({ filter }) => {
      const findings = [
        ...chains.map(chain => probeChain(filter.chains, table, chain, family, mark)),
        ...dispatch.map(name => (filter.chains.has(`${table} ${name}`) ? PRESENT : ABSENT)),
        ...jumps.map(({ builtin, line }) =>
          probeJump(filter.chains.get(`${table} ${builtin}`), builtin, line),
        ),
      ];
      return overall(findings);
    },
    up: view => [
      restore(table, [
        ...dispatch
          .filter(name => !view.filter.chains.has(`${table} ${name}`))
          .map(name => `:${name} - [0:0]`),
        ...chains.map(({ name }) => `:${name} - [0:0]`),
        ...chains.flatMap(chain => renderChain(chain, family, mark)),
        ...oldJumps(table, view),
        ...jumps.map(({ builtin, line }) => `-I ${builtin} 1 ${line}`),
      ]),
    ],
    down: view => {
      const ours = ownChains(table, view);
      const lines = [
        ...ours.map(chain => `:${chain} - [0:0]`),
        ...oldJumps(table, view),
        ...ours.map(chain => `-X ${chain}`),
      ];
      return ours.length === 0 ? [] : [restore(table, lines)];
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
  const actual = chains.get(`${table} ${chain.name}`);
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
function ownChains(table: Table, { filter }: View): string[] {
  const names = [...filter.chains.keys()].filter(key => key.startsWith(`${table} hnet-`));
  return names.map(key => key.slice(table.length + 1));
}

/** Deletes whatever leads into our chains from built-in ones, as this iptables itself printed it. */
function oldJumps(table: Table, { filter }: View): string[] {
  const builtins = [...filter.chains].filter(
    ([key]) => key.startsWith(`${table} `) && !key.startsWith(`${table} hnet-`),
  );
  return builtins.flatMap(([key, rules]) =>
    rules
      .filter(({ text }) => targetOf(text)?.startsWith('hnet-'))
      .map(({ text }) => `-D ${key.slice(table.length + 1)} ${text}`),
  );
}

function set({ name, counters, timeout }: SetSpec, family: Family): Resource {
  const options = [
    ...(counters ? ['counters'] : []),
    ...(timeout === undefined ? [] : ['timeout', String(timeout)]),
  ];
  return {
    label: `set ${name}`,
    probe: ({ filter }) => (filter.sets.has(name) ? PRESENT : ABSENT),
    up: () => [
      ipset(
        'create',
        name,
        'hash:net',
        'family',
        family === 4 ? 'inet' : 'inet6',
        ...options,
        'maxelem',
        '262144',
      ),
    ],
    down: () => [ipset('destroy', name)],
  };
}

const entries: SetEntries = {
  add: (name, prefix) => ipset('add', name, formatLong(prefix)),
  remove: (name, prefix) => ipset('del', name, formatLong(prefix)),
};

/** The rules of one domain: its chains, reached from the dispatch chains by its addresses. */
function policy(guarded: Guarded, family: Family): Resource {
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
    label: 'rules of the domain',
    probe: ({ filter }) => {
      const standing = all.filter(name => filter.chains.has(`filter ${name}`));
      if (chains.length === 0)
        return standing.length === 0 ? PRESENT : changed('it has rules that nobody gave it');
      const reached = DISPATCH.flatMap(({ name }) => filter.chains.get(`filter ${name}`) ?? []).filter(
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
        return [...prefixes.map(one => entries.remove(sets.tracked, one)), ...removal(all, view)];
      const lines = [
        ...chains.map(({ name }) => `:${name} - [0:0]`),
        ...chains.flatMap(chain => renderChain(chain, family, mark)),
        ...oldDispatch(all, view),
        ...dispatch,
      ];
      return [
        restore('filter', lines),
        ...(underway ? prefixes.map(one => settle(sets.settling, one)) : []),
        ...prefixes.map(one => entries.add(sets.tracked, one)),
      ];
    },
    down: view => [...prefixes.map(one => entries.remove(sets.tracked, one)), ...removal(all, view)],
  };
}

const settle = (name: string, prefix: Prefix): Action =>
  ipset('add', name, formatLong(prefix), 'timeout', String(SETTLING));

function removal(names: readonly string[], view: View): Action[] {
  const standing = names.filter(name => view.filter.chains.has(`filter ${name}`));
  if (standing.length === 0) return [];
  return [
    restore('filter', [
      ...standing.map(name => `:${name} - [0:0]`),
      ...oldDispatch(names, view),
      ...standing.map(name => `-X ${name}`),
    ]),
  ];
}

function oldDispatch(names: readonly string[], { filter }: View): string[] {
  return DISPATCH.flatMap(({ name: dispatch }) =>
    (filter.chains.get(`filter ${dispatch}`) ?? [])
      .filter(({ text }) => names.includes(targetOf(text) ?? ''))
      .map(({ text }) => `-D ${dispatch} ${text}`),
  );
}

export const iptables: Firewall = {
  name: 'iptables',
  looks: {
    all: {
      commands: [{ argv: ['ipset', 'save'] }, { argv: ['iptables-save', '-c'] }],
      parse: ([sets = '', chains = '']) => ({ sets: parseSets(sets), chains: parseChains(chains) }),
    },
    brief: {
      commands: [{ argv: ['iptables-save', '-c'] }],
      parse: ([saved = '']) => {
        const chains = parseChains(saved);
        return { chains, sets: setsNamedBy(chains) };
      },
    },
    counters: {
      // `ipset restore` takes any of ipset's commands: two sets in one process.
      commands: [
        {
          argv: ['ipset', 'restore'],
          stdin: `save ${setNames(4).in}\nsave ${setNames(4).out}\n`,
          failsIfEmpty: true,
        },
      ],
      parse: ([sets = '']) => ({ sets: parseSets(sets), chains: new Map() }),
    },
  },
  base: (config: Config, uplink: Uplink) => {
    const rules = ruleset(4, config, uplink);
    return [
      ...rules.sets.map(spec => set(spec, 4)),
      ...staticEntries(4, config, uplink, entries),
      ...TABLES.map(table => tableResource(table, rules, 4)),
    ];
  },
  chainKey: (table, chain) => `${table} ${chain}`,
  linesOf: (rule, family) => renderRule(rule, family).length,
  address: prefix => {
    const names = setNames(prefix.family);
    return setEntries(`filter for ${format(prefix)}`, [names.in, names.out], [prefix], entries);
  },
  scope: scope =>
    setEntries(`filter for ${format(scope)}`, [setNames(scope.family).scopes], [scope], entries),
  removeEntry: entries.remove,
  ruledMaps: () => [],
  removeChains: removal,
  policy: guarded => [
    isolation(4, [...guarded.addresses, ...guarded.scopes], guarded.policy.isolate, entries),
    policy(guarded, 4),
  ],
};
