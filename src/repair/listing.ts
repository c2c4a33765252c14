/** Which domains run, and what their next starts are made from. */
import { withLibvirt } from '../libvirt/libvirt.ts';
import type { Domain } from '../model/domain.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { readDiffering, readRunning } from '../model/running.ts';
import { readStamps } from '../state/records.ts';

/** Which domains run, by libvirt's own word. */
export interface Listing {
  /** Domain → its attachment's stamp, from before libvirt was asked. */
  readonly stamps: ReadonlyMap<string, string>;
  /** Undefined where libvirt doesn't answer, and `why`. */
  readonly running: ReadonlyMap<string, Domain> | undefined;
  /** Domains that stand still between two hosts; of those that {@link withMoving} was asked about. */
  readonly moving: ReadonlySet<string>;
  /** What libvirt wrote of them. */
  readonly xmls: readonly string[];
  readonly why: string | undefined;
}

/**
 * Asks libvirt, never while a lock is held: the hook waits for the lock, and libvirt for the hook. What has changed
 * when the lock is taken at last shows by the stamps: a start writes its attachment before libvirt's answer, or anew.
 */
export function listRunning(): Listing {
  const stamps = readStamps();
  try {
    const xmls = withLibvirt(({ connection }) => connection.running());
    return { stamps, running: readRunning(xmls), moving: new Set(), xmls, why: undefined };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { stamps, running: undefined, moving: new Set(), xmls: [], why: reason(error) };
  }
}

/**
 * Asks libvirt whether domains stand still between two hosts; as {@link listRunning} never while a lock is held.
 * @throws Refusal if libvirt doesn't answer
 */
export function withMoving(listing: Listing, domains: readonly Pick<Domain, 'uuid'>[]): Listing {
  if (domains.length === 0) return listing;
  const moving = withLibvirt(({ connection }) =>
    domains.flatMap(({ uuid }) => (connection.standing(uuid) === 'moving' ? [uuid] : [])),
  );
  return { ...listing, moving: new Set(moving) };
}

/** What the next starts of running domains are made from, where it isn't what runs; by UUID. */
export function listDefinitions({ xmls }: Listing): ReadonlyMap<string, Domain> {
  if (xmls.length === 0) return new Map();
  return readDiffering(
    withLibvirt(({ connection }) => connection.definitions()),
    xmls,
  );
}
