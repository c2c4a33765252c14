/** What the cluster's books say that isn't as it should be, as far as this host saw last. */
import { readBooks } from '../cluster/books.ts';
import type { Config } from '../model/config.ts';
import type { Fault } from './fault.ts';

/** None where this host is alone, or its daemon hasn't looked yet. */
export function faultsInBooks({ cluster }: Pick<Config, 'cluster'>): Fault[] {
  const books = cluster && readBooks();
  if (books === undefined) return [];
  const twins = books.twins.map(
    ({ uuid, name, host }): Fault => ({
      domain: name,
      uuid,
      what: 'run',
      is: 'foreign',
      why: `by etcd's word it runs on ${host} too; shut down one of the two`,
      mend: null,
    }),
  );
  if (books.silent === null) return twins;
  return [
    ...twins,
    { domain: null, uuid: null, what: 'cluster', is: 'unknown', why: books.silent, mend: null },
  ];
}
