import { readFileSync } from 'node:fs';
import type { Config } from '../model/config.ts';
import { CONFIG_FILE } from '../model/names.ts';
import { parseConfig } from '../model/parse-config.ts';
import { Refusal, reason } from '../model/refusal.ts';

/** Reads the operator's configuration. @throws Refusal as {@link parseConfig}, or if the file can't be read */
export function loadConfig(file = CONFIG_FILE): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal(`Cannot read ${file}: ${reason(error)}; install.sh writes it`);
  }
  return parseConfig(text, file);
}
