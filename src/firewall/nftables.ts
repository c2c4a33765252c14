/**
 * The filter in nftables alone: a table of our own per family, with sets that count and verdict maps.
 *
 * Goals: one transaction for whatever changes; nothing outside of our own table.
 *
 * Tension: an accept of ours says nothing to another table's chain on the same hook, which may still drop
 * (strangers.ts deals with it); and replacing the table would lose the counters of its sets, so chains are
 * flushed and refilled while sets stay.
 */
import { type Action, nft } from '../action.ts';
import { type Family, format, formatLong, type Prefix } from '../address.ts';
import type { Config } from '../config.ts';
import { digest } from '../names.ts';
import { ABSENT, changed, type Finding, PRESENT, type Resource } from '../resources/resource.ts';
import type { FilterView, View } from '../view.ts';
import { isolation, type SetEntries, setEntries, staticEntries } from './entries.ts';
import { type Firewall, familiesOf, type Guarded, type Look, labelled } from './firewall.ts';
import { FAMILY, parseListing, renderRule, TABLE } from './nftables-text.ts';
import { isTracked, policyChainNames, policyChains } from './policy.ts';
import type { Chain, HookPoint, Ruleset, SetSpec, Side } from './rules.ts';
import { ruleset } from './ruleset.ts';
import { DISPATCH, SETTLING, setNames } from './sets.ts';
import { parseRuleset, RULESET } from './strangers-nft.ts';
import type { Uplink } from './uplink.ts';

/** Where our chains stand. Before the usual priority of filters, so that others count only what we let through. */
const BASE: Readonly<Record<HookPoint, string>> = {
  'raw-prerouting': 'type filter hook prerouting priority raw',
  'filter-forward': 'type filter hook forward priority filter - 1',
  'filter-input': 'type filter hook input priority filter - 1',
  'filter-output': 'type filter hook output priority filter - 1',
  'nat-postrouting': 'type nat hook postrouting priority srcnat - 1',
};

const tableOf = (family: Family): string => `${FAMILY[family].table} ${TABLE}`;

/** The verdict maps that lead to the rules of single domains. */
const mapOf = (family: Family, chain: string): string => chain.replace('hnet-', `hnet${family}-`);

function tableResource(rules: Ruleset, family: Family): Resource {
  const { table } = FAMILY[family];
  const full = tableOf(family);
  const chains = [
    ...Object.values(rules.chains).flat(),
    ...DISPATCH.map(({ name, side }) => dispatchChain(name, side, family)),
  ];
  const mark = `hnet:${digest(JSON.stringify([chains.map(chain => lines(chain, family, '')), rules.entrances]))}`;
  return {
    label: `nftables table ${full}`,
    probe: ({ filter }) => {
      const findings = [
        ...chains.map(chain => probeChain(filter.chains.get(`${table} ${chain.name}`), chain, mark)),
        ...rules.entrances.map(({ point }) =>
          filter.chains.get(`${table} ${point}`)?.length === 1 ? PRESENT : ABSENT,
        ),
      ];
      return overall(findings);
    },
    up: () => [
      ...rules.entrances.map(({ point }) =>
        nft('add', 'chain', full, point, `{ ${BASE[point]}; policy accept; }`),
      ),
      ...chains.map(({ name }) => nft('add', 'chain', full, name)),
      ...[...rules.entrances.map(({ point }) => point), ...chains.map(({ name }) => name)].map(name =>
        nft('flush', 'chain', full, name),
      ),
      ...rules.entrances.map(({ point, when, chain }) =>
        nft('add', 'rule', full, point, renderRule({ when, verdict: { do: 'jump', chain } }, family)),
      ),
      ...chains.flatMap(chain =>
        lines(chain, family, mark).map(line => nft('add', 'rule', full, chain.name, line)),
      ),
    ],
    down: () => [nft('delete', 'table', full)],
  };
}

/** A dispatch chain is one lookup, however many domains have rules. */
function dispatchChain(name: string, side: Side, family: Family): Chain & { readonly lookup: string } {
  const address = side === 'source' ? 'saddr' : 'daddr';
  return { name, rules: [], lookup: `${FAMILY[family].table} ${address} vmap @${mapOf(family, name)}` };
}

function lines(chain: Chain & { readonly lookup?: string }, family: Family, mark: string): string[] {
  if (chain.lookup !== undefined) return [`${chain.lookup} comment "${mark}"`];
  return chain.rules.map((rule, index) =>
    renderRule(rule, family, index === chain.rules.length - 1 ? mark : undefined),
  );
}

function overall(findings: readonly Finding[]): Finding {
  if (findings.every(({ is }) => is === 'absent')) return ABSENT;
  const wrong = findings.find(({ is }) => is !== 'present');
  return wrong === undefined ? PRESENT : wrong.is === 'absent' ? changed('a part of it is missing') : wrong;
}

function probeChain(
  actual: readonly { text: string }[] | undefined,
  chain: Chain & { readonly lookup?: string },
  mark: string,
): Finding {
  const wanted = chain.lookup === undefined ? chain.rules.length : 1;
  if (actual === undefined) return ABSENT;
  if (actual.length !== wanted) return changed(`${chain.name} has ${actual.length} rules, not ${wanted}`);
  return actual.at(-1)?.text.includes(mark) ? PRESENT : changed(`${chain.name} has other rules`);
}

function set({ name, counters, timeout, ofBridges }: SetSpec, family: Family): Resource {
  const flags = timeout === undefined ? 'interval' : 'interval, timeout';
  const spec = ofBridges
    ? `{ type iface_index; flags dynamic, timeout; timeout ${timeout}s; }`
    : `{ type ${FAMILY[family].type}; flags ${flags};${counters ? ' counter;' : ''} }`;
  return container(`set ${name}`, name, [nft('add', 'set', tableOf(family), name, spec)]);
}

function verdictMap(chain: string, family: Family): Resource {
  const name = mapOf(family, chain);
  const spec = `{ type ${FAMILY[family].type} : verdict; flags interval; }`;
  return container(`map ${name}`, name, [nft('add', 'map', tableOf(family), name, spec)]);
}

/** Sets and maps go with the table. */
const container = (label: string, name: string, up: readonly Action[]): Resource => ({
  label,
  probe: ({ filter }) => (filter.sets.has(name) ? PRESENT : ABSENT),
  up: () => up,
  down: () => [],
});

function entriesOf(family: Family): SetEntries {
  const table = tableOf(family);
  return {
    add: (name, prefix) => nft('add', 'element', table, name, `{ ${format(prefix)} }`),
    remove: (name, prefix) => nft('delete', 'element', table, name, `{ ${format(prefix)} }`),
  };
}

/** The rules of one domain: its chains, to which the verdict maps lead from its addresses. */
function policy(guarded: Guarded, family: Family): Resource {
  const { domain, addresses, scopes, policy: wanted, underway } = guarded;
  const names = policyChainNames(domain);
  const prefixes = [...addresses, ...scopes].filter(one => one.family === family);
  const chains = isTracked(wanted) ? policyChains(domain, wanted, family) : [];
  const parts = { prefixes, names: Object.values(names), family };
  return {
    label: labelled('rules of the domain', family),
    probe: view => probePolicy(chains, names, prefixes, family, view),
    up: view =>
      chains.length === 0
        ? removal(parts, view)
        : [...(underway ? settling(prefixes, family) : []), ...installation(chains, names, prefixes, family)],
    down: view => removal(parts, view),
  };
}

const policyMark = (chains: readonly Chain[], family: Family): string =>
  `hnet:${digest(chains.flatMap(chain => lines(chain, family, '')).join('\n'))}`;

function probePolicy(
  chains: readonly Chain[],
  names: ReturnType<typeof policyChainNames>,
  prefixes: readonly Prefix[],
  family: Family,
  { filter }: View,
): Finding {
  const { table } = FAMILY[family];
  const standing = Object.values(names).filter(name => filter.chains.has(`${table} ${name}`));
  if (chains.length === 0)
    return standing.length === 0 ? PRESENT : changed('it has rules that nobody gave it');
  if (standing.length === 0) return ABSENT;
  const mark = policyMark(chains, family);
  const reached = [...DISPATCH.map(({ name }) => mapOf(family, name)), setNames(family).tracked].map(
    (name): Finding => {
      const contents = filter.sets.get(name);
      if (contents === undefined) return ABSENT;
      return contents === 'unread' || prefixes.every(prefix => contents.has(formatLong(prefix)))
        ? PRESENT
        : changed('its addresses lead elsewhere');
    },
  );
  return overall([
    ...chains.map(chain => probeChain(filter.chains.get(`${table} ${chain.name}`), chain, mark)),
    ...reached,
  ]);
}

function installation(
  chains: readonly Chain[],
  names: ReturnType<typeof policyChainNames>,
  prefixes: readonly Prefix[],
  family: Family,
): Action[] {
  const table = tableOf(family);
  const mark = policyMark(chains, family);
  return [
    ...chains.flatMap(({ name }) => [nft('add', 'chain', table, name), nft('flush', 'chain', table, name)]),
    ...chains.flatMap(chain =>
      lines(chain, family, mark).map(line => nft('add', 'rule', table, chain.name, counted(line))),
    ),
    ...DISPATCH.flatMap(({ name, to }) =>
      prefixes.map(prefix =>
        nft('add', 'element', table, mapOf(family, name), `{ ${format(prefix)} : goto ${names[to]} }`),
      ),
    ),
    ...prefixes.map(prefix =>
      nft('add', 'element', table, setNames(family).tracked, `{ ${format(prefix)} }`),
    ),
  ];
}

const settling = (prefixes: readonly Prefix[], family: Family): Action[] =>
  prefixes.map(prefix =>
    nft(
      'add',
      'element',
      tableOf(family),
      setNames(family).settling,
      `{ ${format(prefix)} timeout ${SETTLING}s }`,
    ),
  );

/** The operator sees how often each rule of a domain matched. */
const counted = (line: string): string =>
  /\bcounter\b/.test(line) ? line : line.replace(/(accept|return)/, 'counter $1');

function removal(
  { prefixes, names, family }: { prefixes: readonly Prefix[]; names: readonly string[]; family: Family },
  { filter }: View,
): Action[] {
  const table = tableOf(family);
  const standing = names.filter(name => filter.chains.has(`${FAMILY[family].table} ${name}`));
  if (standing.length === 0) return [];
  const maps = DISPATCH.map(({ name }) => mapOf(family, name));
  return [
    ...prefixes.flatMap(prefix =>
      [setNames(family).tracked, ...maps].map(name =>
        nft('delete', 'element', table, name, `{ ${format(prefix)} }`),
      ),
    ),
    ...emptied(family, standing),
  ];
}

/** Chains to which nothing leads any more. */
const emptied = (family: Family, names: readonly string[]): Action[] => [
  ...names.map(name => nft('flush', 'chain', tableOf(family), name)),
  ...names.map(name => nft('delete', 'chain', tableOf(family), name)),
];

const BOTH: readonly Family[] = [4, 6];
const listings = (families: readonly Family[]): Look['commands'] =>
  families.map(family => ({
    argv: ['nft', '-j', 'list', 'table', ...tableOf(family).split(' ')],
    failsIfEmpty: true,
  }));

function parseListings(texts: readonly string[]): FilterView {
  const views = texts.map(text => parseListing(text, false));
  return {
    chains: new Map(views.flatMap(({ chains }) => [...chains])),
    sets: new Map(views.flatMap(({ sets }) => [...sets])),
  };
}

export const nftables = (families: readonly Family[]): Firewall => ({
  name: 'nftables',
  families,
  looks: {
    all: { commands: listings(BOTH), parse: parseListings },
    brief: {
      // The whole ruleset in place of our tables: what others put in the way since costs no further process.
      commands: [{ argv: RULESET }],
      parse: ([listing = '']) => ({
        ...parseListing(listing, true),
        strangers: { tables: parseRuleset(listing), complete: false, carry: [] },
      }),
    },
    counters: { commands: listings(families), parse: parseListings },
  },
  base: (config, uplink) => families.flatMap(family => baseOf(family, config, uplink)),
  chainKey: (_, chain, family) => `${FAMILY[family].table} ${chain}`,
  linesOf: () => 1,
  address: prefix => {
    const names = setNames(prefix.family);
    return setEntries(
      `filter for ${format(prefix)}`,
      [names.in, names.out],
      [prefix],
      entriesOf(prefix.family),
    );
  },
  scope: scope =>
    setEntries(
      `filter for ${format(scope)}`,
      [setNames(scope.family).scopes],
      [scope],
      entriesOf(scope.family),
    ),
  removeEntry: (name, prefix) => entriesOf(prefix.family).remove(name, prefix),
  ruledMaps: family => DISPATCH.map(({ name }) => mapOf(family, name)),
  removeChains: (names, { filter }) =>
    BOTH.flatMap(family =>
      emptied(
        family,
        names.filter(name => filter.chains.has(`${FAMILY[family].table} ${name}`)),
      ),
    ),
  policy: guarded =>
    familiesOf(guarded).flatMap(family => [
      isolation(
        labelled('isolation', family),
        family,
        [...guarded.addresses, ...guarded.scopes],
        guarded.policy.isolate,
        entriesOf(family),
      ),
      policy(guarded, family),
    ]),
  release: prefixes =>
    prefixes.flatMap(one => {
      const { tracked, isolated } = setNames(one.family);
      const maps = DISPATCH.map(({ name }) => mapOf(one.family, name));
      return [tracked, isolated, ...maps].map(name => entriesOf(one.family).remove(name, one));
    }),
});

function baseOf(family: Family, config: Config, uplink: Uplink): Resource[] {
  const rules = ruleset(family, config, uplink);
  const words = entriesOf(family);
  const table: Resource = {
    label: `nftables table ${tableOf(family)} itself`,
    // Its sets come with it and go with it.
    probe: ({ filter }) => (filter.sets.has(setNames(family).in) ? PRESENT : ABSENT),
    up: () => [nft('add', 'table', tableOf(family))],
    down: () => [],
  };
  return [
    table,
    ...rules.sets.map(spec => set(spec, family)),
    ...DISPATCH.map(({ name }) => verdictMap(name, family)),
    ...staticEntries(family, config, uplink, words),
    tableResource(rules, family),
  ];
}
