import { holdingsOf } from '../assign/inventory.ts';
import type { Holding } from '../assign/taken.ts';
import type { KnownDomain } from '../libvirt/libvirt.ts';
import { format } from '../model/address.ts';
import { addressesOf, domainWord } from '../model/domain.ts';
import { compare, contains, FAMILIES, type Family, size } from '../model/prefix.ts';
import { quote } from '../model/refusal.ts';
import { childOf } from '../model/xml.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { daemonOf, type Facts, knownValue, startOf } from './facts.ts';

export function checkLibvirt(facts: Facts): Diagnosis[] {
  const { domains } = facts;
  if (domains.is === 'known') return [];
  const mend = startOf(daemonOf(facts));
  return diagnosis(domains.why, 'no domain can be read or given an address', mend);
}

const all = ({ domains }: Facts): readonly KnownDomain[] => knownValue(domains) ?? [];

export function checkMetadata(facts: Facts): Diagnosis[] {
  return all(facts).flatMap(({ next: { intent, name, uuid } }) => {
    const again = `hnet unassign ${domainWord({ name, uuid })} && hnet assign ${domainWord({ name, uuid })}`;
    if (intent.kind === 'malformed')
      return diagnosis(
        `the metadata of ${quote(name)} can't be used: ${intent.why}`,
        "it won't start",
        again,
      );
    if (intent.kind !== 'assigned' || [undefined, uuid].includes(intent.assignment.owner)) return [];
    return diagnosis(
      `${quote(name)} is a clone: its metadata is that of the domain with UUID ${intent.assignment.owner}`,
      'two domains would have one address, so it is refused',
      again,
    );
  });
}

export function checkTwins(facts: Facts): Diagnosis[] {
  const sorted = all(facts)
    .flatMap(holdingsOf)
    .toSorted((a, b) => compare(a.address.prefix, b.address.prefix));
  // Two prefixes are nested or disjoint: after sorting, only the last outermost one can contain the next.
  let outer: Holding | undefined;
  return sorted.flatMap(holding => {
    if (outer === undefined || !contains(outer.address.prefix, holding.address.prefix)) {
      outer = holding;
      return [];
    }
    return outer.domain === holding.domain ? [] : twins(outer.name, holding);
  });
}

const twins = (holder: string, { domain, name, address }: Holding): Diagnosis[] =>
  diagnosis(
    `${quote(holder)} and ${quote(name)} are both assigned ${format(address.prefix)}`,
    'only the one that starts first gets it, and the other is refused',
    `hnet unassign ${domainWord({ name, uuid: domain })} ${format(address.prefix)}`,
  );

/** libvirt's own filters learn one address from the first packets, which is the bootstrap lease. */
export function checkFilters(facts: Facts): Diagnosis[] {
  return all(facts).flatMap(({ next }) => {
    const bridges = addressesOf(next).map(({ bridge }) => bridge);
    return next.nics.flatMap(({ mac, source, element }) => {
      const filter = childOf(element, 'filterref');
      if (filter === undefined || !bridges.includes(source ?? '')) return [];
      return diagnosis(
        `the interface ${mac} of ${quote(next.name)} has the filter ${quote(filter.attributes.get('filter') ?? '')}`,
        'it may lock the VM to its first address, the bootstrap lease; hnet keeps VMs to their addresses by itself',
        `virsh edit ${domainWord(next)}  # and remove <filterref>`,
      );
    });
  });
}

/** We assume that no more addresses of one prefix are in use at a time. */
const CROWD = 64n;

/** Each guest in use has an entry in the neighbour table. When it is full, others are cut off. */
export function checkNeighbours(facts: Facts): Diagnosis[] {
  const held = all(facts).flatMap(holdingsOf);
  return FAMILIES.flatMap(family => {
    const assigned = held
      .filter(({ address }) => address.prefix.family === family)
      .map(({ address: { prefix } }) => Number(family === 6 && size(prefix) > CROWD ? CROWD : size(prefix)))
      .reduce((sum, count) => sum + count, 0);
    const limit = Number(facts.file(thresholdOf(family))?.text.trim() ?? Number.NaN);
    if (!(assigned > limit / 2)) return [];
    return diagnosis(
      `${assigned} addresses are assigned, and the kernel's IPv${family} neighbour table takes ${limit}`,
      'when it is full, no VM is reachable that is not in it',
      `sysctl -w net.ipv${family}.neigh.default.gc_thresh3=${assigned * 4}`,
    );
  });
}

const thresholdOf = (family: Family): string => `/proc/sys/net/ipv${family}/neigh/default/gc_thresh3`;
