import { readFileSync } from 'node:fs';
import { readIfThere, readShortIfThere, removeWhole, withFile, writeAtomically } from '../host/files.ts';
import type { Config } from '../model/config.ts';
import { CONFIG_FILE, PROVEN_FILE, REJECTED_FILE, TRIAL_FILE, UPLINK_FILE } from '../model/names.ts';
import { parseConfig } from '../model/parse-config.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { readUplinkText } from '../model/uplink.ts';

/**
 * Reads the operator's configuration, and the uplink in force, which stands where it names none. As long as it is one that
 * cut off the host (src/repair/trial.ts), the one before it counts.
 * @throws Refusal as {@link parseConfig}, or if the file can't be read
 */
export function loadConfig(file = CONFIG_FILE): Config {
  const written = readConfigText(file);
  const proven = isRejected(written) ? readIfThere(PROVEN_FILE) : undefined;
  return {
    ...parseConfig(proven ?? written, proven === undefined ? file : PROVEN_FILE),
    inForce: readUplinkText(readShortIfThere(UPLINK_FILE) ?? ''),
  };
}

/** Notes a configuration that was applied and left the host reachable: it is put back if the next one doesn't. */
export function noteProven(text: string): void {
  if (readIfThere(PROVEN_FILE) !== text) writeAtomically(PROVEN_FILE, text);
}

/** Whether a configuration is the one that cut off the host when it was applied last. */
export const isRejected = (text: string): boolean => readIfThere(REJECTED_FILE) === text;

/** Forgets what was tried and how it went, when hnet goes. */
export function forgetProven(): void {
  for (const file of [PROVEN_FILE, TRIAL_FILE, REJECTED_FILE]) removeWhole(file);
}

/** The text of the configuration. @throws Refusal if the file can't be read */
export function readConfigText(file = CONFIG_FILE): string {
  try {
    return withFile(file, one => readFileSync(one, 'utf8'));
  } catch (error) {
    throw new Refusal(`Cannot read ${file}: ${reason(error)}; hnet init writes it`);
  }
}
