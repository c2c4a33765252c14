/** Our own table in nftables, with its sets and chains: what exists whether a domain runs or not. */
import type { Config } from '../../model/config.ts';
import type { Family } from '../../model/prefix.ts';
import type { Uplinks } from '../../model/uplink.ts';
import { type Action, nft } from '../../resources/action.ts';
import { ABSENT, affecting, overall, PRESENT, type Resource } from '../../resources/resource.ts';
import { staticEntries } from '../rules/entries.ts';
import { markOf, probeChain } from '../rules/fingerprint.ts';
import { type Entrance, type HookPoint, jump, rule, type Side, type Written } from '../rules/rules.ts';
import { type Ruleset, ruleset } from '../rules/ruleset.ts';
import { DISPATCH, setNames } from '../rules/sets.ts';
import { entries, mapOf, set, verdictMap } from './sets.ts';
import { addressOf, chainKey, fill, partsOf, renderRule, tableOf, written } from './text.ts';

/** A rule may look up the routes itself. */
export const FORESIGHT = 'raw';

/** The table of a family, with its sets, maps and chains. */
export function baseOf(family: Family, config: Config, uplinks: Uplinks): Resource[] {
  const rules = ruleset(family, config, uplinks, FORESIGHT);
  const table: Resource = {
    key: `table ${tableOf(family)}`,
    label: `nftables table ${tableOf(family)} itself`,
    // A set exists only in its table. `down` of the chains' resource deletes the table with everything in it.
    probe: ({ filter }) => (filter.sets.has(setNames(family).in) ? PRESENT : ABSENT),
    up: () => [nft('add', 'table', tableOf(family))],
    down: () => [],
  };
  return [
    table,
    ...rules.sets.map(spec => set(spec, family)),
    ...DISPATCH.map(({ name }) => verdictMap(name, family)),
    ...staticEntries(family, config, uplinks, entries),
    chainsOf(rules, family),
  ].map(one => affecting(family, one));
}

/** The kernel's hooks. Our chains come before the usual priority of filters, so that others count only what we accept. */
const BASE: Readonly<Record<HookPoint, string>> = {
  'raw-prerouting': 'type filter hook prerouting priority raw',
  'filter-forward': 'type filter hook forward priority filter - 1',
  'filter-input': 'type filter hook input priority filter - 1',
  'filter-output': 'type filter hook output priority filter - 1',
  'nat-postrouting': 'type nat hook postrouting priority srcnat - 1',
};

/** A dispatch chain: one lookup of an address, however many domains have rules. */
const dispatchChain = (name: string, side: Side, family: Family): Written => ({
  name,
  lines: partsOf(mapOf(family, name)).map(part => `${addressOf(side, family)} vmap @${part}`),
});

function chainsOf({ chains: all, entrances }: Ruleset, family: Family): Resource {
  const chains = [
    ...Object.values(all).flatMap(some => some.map(chain => written(chain, family))),
    ...DISPATCH.map(({ name, side }) => dispatchChain(name, side, family)),
  ];
  const mark = markOf(JSON.stringify([chains, entrances]));
  return {
    key: `chains ${tableOf(family)}`,
    label: `nftables table ${tableOf(family)}`,
    probe: ({ filter }) => {
      const actual = (name: string) => filter.chains.get(chainKey(name, family));
      return overall([
        ...chains.map(chain => probeChain(chain, mark, actual(chain.name))),
        ...entrances.map(({ point }) => (actual(point)?.length === 1 ? PRESENT : ABSENT)),
      ]);
    },
    up: () => install(chains, entrances, mark, family),
    down: () => [nft('delete', 'table', tableOf(family))],
  };
}

/** Chains are emptied and filled again in one transaction. Sets stay, with their counters. */
function install(chains: Written[], entrances: readonly Entrance[], mark: string, family: Family): Action[] {
  const table = tableOf(family);
  const points = entrances.map(({ point }) => point);
  const names = chains.map(({ name }) => name);
  return [
    ...points.map(point => nft('add', 'chain', table, point, `{ ${BASE[point]}; policy accept; }`)),
    ...names.map(name => nft('add', 'chain', table, name)),
    ...[...points, ...names].map(name => nft('flush', 'chain', table, name)),
    ...entrances.flatMap(({ point, when, chain }) =>
      renderRule(rule(jump(chain), ...when), family).map(line => nft('add', 'rule', table, point, line)),
    ),
    ...chains.flatMap(chain => fill(chain, mark, family)),
  ];
}
