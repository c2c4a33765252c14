/** The VMs that may be given an address. */
import type { NicShown } from './lines.ts';
import type { HostState } from './seen.ts';

export interface Candidate {
  readonly uuid: string;
  readonly domain: string;
  /** Its addresses; empty for none. */
  readonly held: string;
  readonly interfaces: readonly NicShown[];
}

const { compare } = new Intl.Collator('en', { numeric: true });

/** Every VM of the host: first those without an address, for which an address is wanted most often. */
export function candidatesIn({ domains, others }: Pick<HostState, 'domains' | 'others'>): Candidate[] {
  const without = others.map(({ uuid, domain, interfaces }) => ({ uuid, domain, interfaces, held: '' }));
  const holders = [...domains.values()].map(({ uuid, domain, interfaces, addresses }) => ({
    uuid,
    domain,
    interfaces,
    held: addresses.map(({ address }) => address).join(', '),
  }));
  return [without, holders].flatMap(some => some.toSorted((a, b) => compare(a.domain, b.domain)));
}
