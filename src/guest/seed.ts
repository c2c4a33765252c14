import { type ConfigFile, type Format, file } from './file.ts';
import type { StaticNetwork } from './network.ts';

/** What cloud-init looks for among the disks (docs.cloud-init.io, "NoCloud"). */
export const SEED_LABEL = 'cidata';

/** Who may log in: without either, the image's own users. */
export interface SeedAccess {
  /** A whole user-data file, used as it is. */
  readonly userData?: string;
  /** Public keys as authorized_keys has them, for the image's default user. */
  readonly sshKeys?: readonly string[];
}

/**
 * The files of a NoCloud seed. The instance id is the domain's UUID: it must stay the same when addresses change, or
 * cloud-init would make new SSH host keys.
 */
export function seedFiles(
  network: StaticNetwork,
  uuid: string,
  networkConfig: Format,
  access: SeedAccess,
): ConfigFile[] {
  return [
    file('meta-data', `instance-id: "${uuid}"`, `local-hostname: "${network.hostname}"`),
    access.userData === undefined
      ? file('user-data', '#cloud-config', ...keyLines(access.sshKeys ?? []))
      : { path: 'user-data', text: access.userData },
    ...networkConfig(network),
  ];
}

// JSON's strings are YAML's.
const keyLines = (keys: readonly string[]): string[] =>
  keys.length === 0 ? [] : ['ssh_authorized_keys:', ...keys.map(key => `  - ${JSON.stringify(key)}`)];
