/** Our own table in nftables, with its sets and chains: what stands whether a domain runs or not. */
import { type Action, nft } from '../action.ts';
import { type Family, format, type Prefix } from '../address.ts';
import type { Config } from '../config.ts';
import { digest } from '../names.ts';
import { ABSENT, changed, type Finding, overall, PRESENT, type Resource } from '../resources/resource.ts';
import { type SetEntries, staticEntries } from './entries.ts';
import { FAMILY, renderRule, TABLE } from './nftables-text.ts';
import type { Chain, HookPoint, Ruleset, SetSpec, Side } from './rules.ts';
import { ruleset } from './ruleset.ts';
import { DISPATCH, setNames } from './sets.ts';
import type { Uplink } from './uplink.ts';

/** Where our chains stand. Before the usual priority of filters, so that others count only what we let through. */
const BASE: Readonly<Record<HookPoint, string>> = {
  'raw-prerouting': 'type filter hook prerouting priority raw',
  'filter-forward': 'type filter hook forward priority filter - 1',
  'filter-input': 'type filter hook input priority filter - 1',
  'filter-output': 'type filter hook output priority filter - 1',
  'nat-postrouting': 'type nat hook postrouting priority srcnat - 1',
};

export const tableOf = (family: Family): string => `${FAMILY[family].table} ${TABLE}`;

/** The verdict maps that lead to the rules of single domains. */
export const mapOf = (family: Family, chain: string): string => chain.replace('hnet-', `hnet${family}-`);

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

export function lines(chain: Chain & { readonly lookup?: string }, family: Family, mark: string): string[] {
  if (chain.lookup !== undefined) return [`${chain.lookup} comment "${mark}"`];
  return chain.rules.map((rule, index) =>
    renderRule(rule, family, index === chain.rules.length - 1 ? mark : undefined),
  );
}

export function probeChain(
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

const element = (verb: string, name: string, prefix: Prefix): Action =>
  nft(verb, 'element', tableOf(prefix.family), name, `{ ${format(prefix)} }`);

export const entries: SetEntries = {
  add: (name, prefix) => element('add', name, prefix),
  remove: (name, prefix) => element('delete', name, prefix),
};

export function baseOf(family: Family, config: Config, uplink: Uplink): Resource[] {
  const rules = ruleset(family, config, uplink);
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
    ...staticEntries(family, config, uplink, entries),
    tableResource(rules, family),
  ];
}
