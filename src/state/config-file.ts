import { readFileSync } from 'node:fs';
import { readShortIfThere } from '../host/files.ts';
import type { Config } from '../model/config.ts';
import { CONFIG_FILE, UPLINK_FILE } from '../model/names.ts';
import { parseConfig } from '../model/parse-config.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { readUplinkText } from '../model/uplink.ts';

/**
 * Reads the operator's configuration, and the uplink in force, which stands where it names none.
 * @throws Refusal as {@link parseConfig}, or if the file can't be read
 */
export function loadConfig(file = CONFIG_FILE): Config {
  return {
    ...parseConfig(readConfigText(file), file),
    inForce: readUplinkText(readShortIfThere(UPLINK_FILE) ?? ''),
  };
}

/** The text of the configuration. @throws Refusal if the file can't be read */
export function readConfigText(file = CONFIG_FILE): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal(`Cannot read ${file}: ${reason(error)}; install.sh writes it`);
  }
}
