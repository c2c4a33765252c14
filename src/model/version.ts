/** The version of hnet, and those of what it writes, so that an older hnet refuses it instead of misreading it. */
import * as v from 'valibot';
import { Refusal } from './refusal.ts';

/** Set by the bundler from package.json. */
declare const HNET_VERSION: string;

export const ownVersion = (): string => HNET_VERSION;

/** A newer hnet wrote it: what it says isn't known, and it must be kept for that one. */
export class NewerRefusal extends Refusal {
  override readonly name = 'NewerRefusal';
}

const versioned = v.object({ version: v.number() });

/**
 * Refuses a value that a newer hnet wrote. One without a version is older than versions are.
 * @param known the version that this hnet writes
 * @throws NewerRefusal
 */
export function refuseNewer(value: unknown, known: number): void {
  const read = v.safeParse(versioned, value);
  if (read.success && read.output.version > known)
    throw new NewerRefusal(
      `it is of version ${read.output.version}, and this hnet reads version ${known}; install a newer hnet`,
    );
}
