/** Our own table in nftables, with its sets and chains: what stands whether a domain runs or not. */

import type { Config } from '../../model/config.ts';
import { digest } from '../../model/names.ts';
import type { Family } from '../../model/prefix.ts';
import type { Uplink } from '../../model/uplink.ts';
import type { View } from '../../model/view.ts';
import { type Action, nft } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, overall, PRESENT, type Resource } from '../../resources/resource.ts';
import { staticEntries } from '../rules/entries.ts';
import type { Chain, HookPoint, Ruleset, Side } from '../rules/rules.ts';
import { ruleset } from '../rules/ruleset.ts';
import { DISPATCH, setNames } from '../rules/sets.ts';
import { entries, mapOf, set, verdictMap } from './sets.ts';
import { addressOf, FAMILY, partsOf, renderRule, tableOf } from './text.ts';

/** Where our chains stand. Before the usual priority of filters, so that others count only what we let through. */
const BASE: Readonly<Record<HookPoint, string>> = {
  'raw-prerouting': 'type filter hook prerouting priority raw',
  'filter-forward': 'type filter hook forward priority filter - 1',
  'filter-input': 'type filter hook input priority filter - 1',
  'filter-output': 'type filter hook output priority filter - 1',
  'nat-postrouting': 'type nat hook postrouting priority srcnat - 1',
};

/** A chain as nft reads it. */
export interface Written {
  readonly name: string;
  readonly lines: readonly string[];
}

export const written = ({ name, rules }: Chain, family: Family): Written => ({
  name,
  lines: rules.flatMap(rule => renderRule(rule, family)),
});

/** A dispatch chain is one lookup for an address, however many domains have rules. */
const dispatchChain = (name: string, side: Side, family: Family): Written => ({
  name,
  lines: partsOf(mapOf(family, name)).map(part => `${addressOf(side, family)} vmap @${part}`),
});

/** By this on their last lines chains are known again: nft prints rules in another form than it reads. */
export const markOf = (contents: unknown): string => `hnet:${digest(JSON.stringify(contents))}`;

/** Adds the lines to a chain that stands and is empty. */
export const fill = ({ name, lines }: Written, mark: string, family: Family): Action[] =>
  lines.map((line, index) => {
    const comment = index === lines.length - 1 ? ` comment "${mark}"` : '';
    return nft('add', 'rule', tableOf(family), name, `${line}${comment}`);
  });

export function probeChain(
  { name, lines }: Written,
  mark: string,
  family: Family,
  { filter }: View,
): Finding {
  const actual = filter.chains.get(`${FAMILY[family].table} ${name}`);
  if (actual === undefined) return ABSENT;
  if (actual.length !== lines.length)
    return changed(`${name} has ${actual.length} rules, not ${lines.length}`);
  return actual.at(-1)?.text.includes(mark) ? PRESENT : changed(`${name} has other rules`);
}

function tableResource(rules: Ruleset, family: Family): Resource {
  const { table } = FAMILY[family];
  const full = tableOf(family);
  const chains = [
    ...Object.values(rules.chains).flatMap(some => some.map(chain => written(chain, family))),
    ...DISPATCH.map(({ name, side }) => dispatchChain(name, side, family)),
  ];
  const mark = markOf([chains, rules.entrances]);
  return {
    key: `chains ${full}`,
    label: `nftables table ${full}`,
    probe: view =>
      overall([
        ...chains.map(chain => probeChain(chain, mark, family, view)),
        ...rules.entrances.map(({ point }) =>
          view.filter.chains.get(`${table} ${point}`)?.length === 1 ? PRESENT : ABSENT,
        ),
      ]),
    up: () => [
      ...rules.entrances.map(({ point }) =>
        nft('add', 'chain', full, point, `{ ${BASE[point]}; policy accept; }`),
      ),
      ...chains.map(({ name }) => nft('add', 'chain', full, name)),
      ...[...rules.entrances.map(({ point }) => point), ...chains.map(({ name }) => name)].map(name =>
        nft('flush', 'chain', full, name),
      ),
      ...rules.entrances.flatMap(({ point, when, chain }) =>
        renderRule({ when, verdict: { do: 'jump', chain } }, family).map(line =>
          nft('add', 'rule', full, point, line),
        ),
      ),
      ...chains.flatMap(chain => fill(chain, mark, family)),
    ],
    down: () => [nft('delete', 'table', full)],
  };
}

export function baseOf(family: Family, config: Config, uplink: Uplink): Resource[] {
  const rules = ruleset(family, config, uplink);
  const table: Resource = {
    key: `table ${tableOf(family)}`,
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
