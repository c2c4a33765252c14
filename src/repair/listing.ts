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
    return { stamps, running: readRunning(xmls), xmls, why: undefined };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { stamps, running: undefined, xmls: [], why: reason(error) };
  }
}

/** What the next starts of running domains are made from, where it isn't what runs; by UUID. */
export function listDefinitions({ xmls }: Listing): ReadonlyMap<string, Domain> {
  if (xmls.length === 0) return new Map();
  return readDiffering(
    withLibvirt(({ connection }) => connection.definitions()),
    xmls,
  );
}
