/** Domains that are on two hosts, as far as this host's books know. */
import { readBooks } from '../cluster/books.ts';
import type { Config } from '../model/config.ts';
import type { Fault } from './fault.ts';

/** None where this host is alone, or its daemon hasn't looked yet. */
export function faultsInBooks({ cluster }: Pick<Config, 'cluster'>): Fault[] {
  const books = cluster && readBooks();
  if (books === undefined) return [];
  return books.twins.map(({ uuid, name, host, is }) => ({
    domain: name,
    uuid,
    what: 'run',
    is: 'foreign',
    why:
      is === 'running'
        ? `by etcd's word it runs on ${host} too; shut down one of the two`
        : `it has moved to ${host}, and libvirt still has it here, paused; virsh destroy ends what is left of it here`,
    mend: null,
  }));
}
