import type { Domain } from '../model/domain.ts';
import { nearWords } from '../model/near.ts';
import { readDomain } from '../model/parse-domain.ts';
import { quote, Refusal } from '../model/refusal.ts';
import type { Connection } from './connection.ts';
import { openLibrary } from './library.ts';
import { VirshConnection } from './virsh.ts';

/** A domain and what libvirt knows of it besides its XML. */
export interface KnownDomain {
  /** As it runs now, or as it would start. */
  readonly domain: Domain;
  /** As it will start next time; undefined if it is transient. */
  readonly persistent: Domain | undefined;
  /** The description that decides about the next start: the persistent one, or that of a transient domain. */
  readonly next: Domain;
  readonly active: boolean;
}

/** Runs `work` with a connection to qemu:///system. @throws Refusal if there is no libvirt to talk to */
export function withLibvirt<T>(work: (libvirt: Libvirt) => T): T {
  const connection = openLibrary() ?? new VirshConnection();
  try {
    return work(new Libvirt(connection));
  } finally {
    connection.close();
  }
}

const NAMES = new Intl.Collator('en', { numeric: true });

/** libvirt's domains. Of their devices we read the network interfaces only. */
export class Libvirt {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** All domains, vm2 before vm10; without those whose XML can't be read, and those that vanish meanwhile. */
  domains(): KnownDomain[] {
    const found = this.connection.list().flatMap(uuid => {
      try {
        return this.known(uuid);
      } catch {
        return [];
      }
    });
    return found.sort((a, b) => NAMES.compare(a.domain.name, b.domain.name));
  }

  known(uuid: string): KnownDomain {
    const active = this.connection.isActive(uuid);
    const read = (inactive: boolean) => readDomain(this.connection.xml(uuid, inactive));
    const persistent = this.connection.isPersistent(uuid) ? read(true) : undefined;
    const domain = active || persistent === undefined ? read(false) : persistent;
    return { domain, persistent, next: persistent ?? domain, active };
  }
}

/** Picks a domain by name or UUID. @throws Refusal if there is none, naming those whose names are nearest */
export function pick(domains: readonly KnownDomain[], wanted: string): KnownDomain {
  const found =
    domains.find(({ domain }) => domain.name === wanted) ??
    domains.find(({ domain }) => domain.uuid === wanted);
  if (found !== undefined) return found;
  const near = nearWords(
    domains.map(({ domain }) => domain.name),
    wanted,
  ).map(quote);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'virsh list --all shows them';
  throw new Refusal(`Cannot find a domain ${quote(wanted)}; ${hint}`);
}
