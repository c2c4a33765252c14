/**
 * Domains that are about to come from another host. libvirt calls the hook for the start of such a domain as for any other
 * start; that a move has begun is said only by the call before.
 */
import { mkdirSync, statSync } from 'node:fs';
import { namesIn, OWN_DIRECTORY, removeWhole, writeAtomically } from '../host/files.ts';
import { INCOMING_DIRECTORY } from '../model/names.ts';
import { ifPossible } from '../model/refusal.ts';

/**
 * So long a marker is believed, in milliseconds. Its start comes at once, if it comes: libvirt may have refused the domain after
 * the hook, and a domain that doesn't run has none. A later start is one like any other, which must ask who else runs the domain.
 */
const VALID = 60_000;

const markerOf = (uuid: string): string => `${INCOMING_DIRECTORY}/${uuid}`;

export function markIncoming(uuid: string): void {
  mkdirSync(INCOMING_DIRECTORY, { recursive: true, mode: OWN_DIRECTORY });
  writeAtomically(markerOf(uuid), '');
}

/** Whether the start that begins now is that of a domain that comes from another host; it is told once. */
export function takeMarker(uuid: string): boolean {
  const status = ifPossible(() => statSync(markerOf(uuid)));
  if (status === undefined) return false;
  removeWhole(markerOf(uuid));
  return Date.now() - status.mtimeMs < VALID;
}

/** Whether a domain is about to come. */
export function isExpected(uuid: string): boolean {
  const status = ifPossible(() => statSync(markerOf(uuid)));
  return status !== undefined && Date.now() - status.mtimeMs < VALID;
}

/** Removes the markers that nobody believes any more. */
export function forgetExpected(): void {
  for (const uuid of namesIn(INCOMING_DIRECTORY)) if (!isExpected(uuid)) removeWhole(markerOf(uuid));
}
