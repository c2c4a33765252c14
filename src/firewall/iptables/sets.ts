/** The sets of the filter in ipset. */
import { formatLong } from '../../model/address.ts';
import type { Family } from '../../model/prefix.ts';
import { ipset } from '../../resources/action.ts';
import { ABSENT, PRESENT, type Resource } from '../../resources/resource.ts';
import { COUNTING, type SetEntries, type SetSpec } from '../rules/sets.ts';
import { inFewLengths } from './lengths.ts';

export function set(spec: SetSpec, family: Family): Resource {
  const { name, counters, timeout, learns } = spec;
  const ofBridges = learns === 'bridges';
  const words = [
    ...[TYPES[learns ?? 'prefixes'], 'family', family === 4 ? 'inet' : 'inet6'],
    ...(counters || ofBridges ? ['counters'] : []),
    ...(timeout === undefined ? [] : ['timeout', String(timeout)]),
    ...['maxelem', '262144'],
  ];
  return {
    key: `set ${name}`,
    label: `set ${name}`,
    probe: ({ filter }) => {
      const contents = filter.sets.get(name);
      const whole = !ofBridges || contents === 'unread' || contents?.has(EXAMPLE[family]);
      return contents !== undefined && whole ? PRESENT : ABSENT;
    },
    up: () => [
      ipset('create', name, ...words),
      ...(ofBridges ? [ipset('add', name, EXAMPLE[family], 'timeout', '0')] : []),
    ],
    down: () => [ipset('destroy', name)],
  };
}

const TYPES = {
  prefixes: 'hash:net',
  addresses: 'hash:ip',
  bridges: 'hash:net,iface',
  services: 'hash:ip,port',
};

/**
 * An entry that a rule adds gets the longest prefix length in the set (ipset(8), hash:net). This entry makes that one bit,
 * so a bridge makes one entry (or two) whatever the sources of its packets are. A set may be without it: somebody flushed
 * it, or the hook was killed after it made the set.
 */
const EXAMPLE: Readonly<Record<Family, string>> = { 4: '128.0.0.0/1,lo', 6: '8000::/1,lo' };

/** Otherwise a new entry may continue the counters of a deleted one in its place (`ip_set_init_counter`). */
const FROM_ZERO = ['packets', '0', 'bytes', '0'];

export const entries: SetEntries = {
  add: (name, prefix) => ipset('add', name, formatLong(prefix), ...(COUNTING.has(name) ? FROM_ZERO : [])),
  remove: (name, prefix) => ipset('del', name, formatLong(prefix)),
  roughly: inFewLengths,
};
