/** The sets of the filter in ipset. */

import { formatLong } from '../../model/address.ts';
import type { Family } from '../../model/prefix.ts';
import { ipset } from '../../resources/action.ts';
import { ABSENT, PRESENT, type Resource } from '../../resources/resource.ts';
import type { SetEntries, SetSpec } from '../rules/rules.ts';
import { COUNTING } from '../rules/sets.ts';

export function set(spec: SetSpec, family: Family): Resource {
  const { name, counters, timeout, ofBridges } = spec;
  const words = [
    ...[ofBridges ? 'hash:net,iface' : 'hash:net', 'family', family === 4 ? 'inet' : 'inet6'],
    ...(counters || ofBridges ? ['counters'] : []),
    ...(timeout === undefined ? [] : ['timeout', String(timeout)]),
    ...['maxelem', '262144'],
  ];
  return {
    key: `set ${name}`,
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

/**
 * An entry that gets a place in the kernel's table which another has left goes on with that one's counters, unless they are
 * given: `ip_set_init_counter` writes none otherwise.
 */
const FROM_ZERO = ['packets', '0', 'bytes', '0'];

export const entries: SetEntries = {
  add: (name, prefix) => ipset('add', name, formatLong(prefix), ...(COUNTING.has(name) ? FROM_ZERO : [])),
  remove: (name, prefix) => ipset('del', name, formatLong(prefix)),
};
