/** The sets of the filter in nftables, and the verdict maps that lead to the chains of single domains. */
import { format } from '../../model/address.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { type Action, nft } from '../../resources/action.ts';
import { ABSENT, PRESENT, type Resource } from '../../resources/resource.ts';
import { NOTED, overOf, type SetEntries, type SetSpec } from '../rules/sets.ts';
import { FAMILY, partFor, partsOf, tableOf } from './text.ts';

/** The verdict map that a dispatch chain looks up. */
export const mapOf = (family: Family, chain: string): string => chain.replace('hnet-', `hnet${family}-`);

export function set({ name, counters, timeout, learns }: SetSpec, family: Family): Resource {
  if (learns === 'bridges') return bridgeSet(name, timeout, family);
  if (learns !== undefined) {
    const service = learns === 'services' ? ' . inet_proto . inet_service' : '';
    const type = `${FAMILY[family].type}${service}; size ${MOST};`;
    return container('set', name, family, () => `type ${type} flags dynamic, timeout; timeout ${timeout}s;`);
  }
  const counter = counters ? ' counter;' : '';
  return container('set', name, family, holdsSubnets => {
    const flags = [...(holdsSubnets ? ['interval'] : []), ...(timeout === undefined ? [] : ['timeout'])];
    return `type ${FAMILY[family].type};${flags.length === 0 ? '' : ` flags ${flags.join(', ')};`}${counter}`;
  });
}

/** As many entries may a set have to which packets add addresses, as ipset's. */
const MOST = 262_144;

/** The bridges that a rule counts, and beside them, where they are noted, those that exceed their allowance. */
function bridgeSet(name: string, timeout: number | undefined, family: Family): Resource {
  const over = overOf(name);
  const parts: readonly (readonly [string, number | undefined])[] = [
    [name, timeout],
    ...(over === undefined ? [] : [[over, NOTED] as const]),
  ];
  return {
    key: `set ${name}`,
    label: `set ${name}`,
    probe: ({ filter }) => (parts.every(([part]) => filter.sets.has(part)) ? PRESENT : ABSENT),
    up: () =>
      parts.map(([part, seconds]) =>
        nft(
          'add',
          'set',
          tableOf(family),
          part,
          `{ type iface_index; flags dynamic, timeout; timeout ${seconds}s; }`,
        ),
      ),
    down: () => [],
  };
}

export function verdictMap(chain: string, family: Family): Resource {
  const flags = (holdsSubnets: boolean): string => (holdsSubnets ? ' flags interval;' : '');
  const spec: Spec = holdsSubnets => `type ${FAMILY[family].type} : verdict;${flags(holdsSubnets)}`;
  return container('map', mapOf(family, chain), family, spec);
}

type Spec = (holdsSubnets: boolean) => string;

/** A set or map with all its parts. They are deleted with the table. */
function container(kind: 'set' | 'map', name: string, family: Family, spec: Spec): Resource {
  return {
    key: `${kind} ${name}`,
    label: `${kind} ${name}`,
    probe: ({ filter }) => (filter.sets.has(name) ? PRESENT : ABSENT),
    // The last part, or the only one, holds subnets.
    up: () =>
      partsOf(name).map((part, index, { length }) =>
        nft('add', kind, tableOf(family), part, `{ ${spec(index === length - 1)} }`),
      ),
    down: () => [],
  };
}

const element = (verb: 'add' | 'delete', name: string, prefix: Prefix, more = ''): Action =>
  nft(verb, 'element', tableOf(prefix.family), partFor(name, prefix), `{ ${format(prefix)}${more} }`);

export const entries: SetEntries = {
  add: (name, prefix) => element('add', name, prefix),
  remove: (name, prefix) => element('delete', name, prefix),
  roughly: prefixes => prefixes,
};

/** An entry that expires, in seconds. */
export const addFor = (set: string, prefix: Prefix, timeout: number): Action =>
  element('add', set, prefix, ` timeout ${timeout}s`);

/** An entry of a verdict map: packets of the prefix go to the chain. */
export const leadTo = (map: string, prefix: Prefix, chain: string): Action =>
  element('add', map, prefix, ` : goto ${chain}`);
