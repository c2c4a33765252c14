import { chmodSync, chownSync, realpathSync, statSync } from 'node:fs';
import { atomically, writeNew } from '../host/files.ts';
import { CONFIG_FILE } from '../model/names.ts';
import { uplinkLine, withUplink } from '../model/pin.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { readConfigText } from './config-file.ts';

/**
 * Writes the main uplink's interfaces into the configuration, where it says none. All else in it stays, its owner and mode too.
 * @returns the line that it wrote
 * @throws Refusal if the file can't be written
 */
export function pinUplink(devices: readonly string[], file = CONFIG_FILE): string {
  const line = uplinkLine(devices);
  const text = withUplink(readConfigText(file), devices);
  try {
    // It may be a link into a repository of configurations.
    const path = realpathSync(file);
    const { mode, uid, gid } = statSync(path);
    atomically(path, half => {
      writeNew(half, text);
      chmodSync(half, mode);
      chownSync(half, uid, gid);
    });
    return line;
  } catch (error) {
    throw new Refusal(`Cannot write ${line} into ${file}: ${reason(error)}; add it yourself`);
  }
}
