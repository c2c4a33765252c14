import { type Domain, parseDomain } from './domain.ts';
import { openLibrary } from './libvirt-library.ts';
import { openVirsh } from './libvirt-virsh.ts';
import { METADATA_NAMESPACE } from './names.ts';
import { quote, Refusal } from './refusal.ts';

/** A domain and what libvirt knows of it besides its XML. */
export interface KnownDomain {
  /** As it runs now, or as it would start. */
  readonly domain: Domain;
  /** As it will start next time; undefined if it is transient. */
  readonly persistent: Domain | undefined;
  readonly active: boolean;
}

/** Which of a domain's two descriptions a change goes to: the one it runs with, the one it starts from. */
export type Affects = 'live' | 'config' | 'both';

/**
 * What hnet needs of libvirt, by either of two ways: its C library, or virsh where that can't be loaded.
 * Every call throws a Refusal with libvirt's own words. Never used from the hook: there it would deadlock.
 */
export interface Connection {
  /** UUIDs of all domains. */
  readonly list: () => string[];
  readonly xml: (uuid: string, inactive: boolean) => string;
  readonly isActive: (uuid: string) => boolean;
  readonly isPersistent: (uuid: string) => boolean;
  readonly hasManagedSave: (uuid: string) => boolean;
  /** Sets our metadata element; undefined removes it. */
  readonly setMetadata: (uuid: string, element: string | undefined, affects: Affects) => void;
  readonly updateDevice: (uuid: string, device: string, affects: Affects) => void;
  readonly attachDevice: (uuid: string, device: string, affects: Affects) => void;
  readonly close: () => void;
}

/** The prefix under which our element is stored; its namespace is what counts. */
export const METADATA_KEY = 'hnet';
export const METADATA_URI = METADATA_NAMESPACE;

/** Runs `work` with a connection to qemu:///system. @throws Refusal if there is no libvirt to talk to */
export function withLibvirt<T>(work: (libvirt: Libvirt) => T): T {
  const connection = openLibrary() ?? openVirsh();
  try {
    return work(new Libvirt(connection));
  } finally {
    connection.close();
  }
}

/** libvirt's domains, parsed. */
export class Libvirt {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** All domains. One whose XML can't be read, or that vanishes meanwhile, doesn't hide the others. */
  domains(): KnownDomain[] {
    return this.#connection.list().flatMap(uuid => {
      try {
        return [this.known(uuid)];
      } catch {
        return [];
      }
    });
  }

  known(uuid: string): KnownDomain {
    const active = this.#connection.isActive(uuid);
    const persistent = this.#connection.isPersistent(uuid)
      ? parseDomain(this.#connection.xml(uuid, true))
      : undefined;
    const domain =
      active || persistent === undefined ? parseDomain(this.#connection.xml(uuid, false)) : persistent;
    return { domain, persistent, active };
  }
}

/** Picks a domain by name or UUID. @throws Refusal if there is none, naming those that come near */
export function pick(domains: readonly KnownDomain[], wanted: string): KnownDomain {
  const found =
    domains.find(({ domain }) => domain.name === wanted) ??
    domains.find(({ domain }) => domain.uuid === wanted);
  if (found !== undefined) return found;
  const near = domains
    .map(({ domain }) => domain.name)
    .filter(name => name.toLowerCase().startsWith(wanted.slice(0, 1).toLowerCase()));
  const hint =
    near.length > 0
      ? `; did you mean ${near.slice(0, 3).map(quote).join(' or ')}?`
      : '; virsh list --all shows them';
  throw new Refusal(`Cannot find a domain ${quote(wanted)}${hint}`);
}
