import { type ConfigFile, type Format, file, yaml, yamlFile } from './file.ts';
import type { StaticNetwork } from './network.ts';

/** Who may log in: without either, the image's own users. */
export interface SeedAccess {
  /** A whole user-data file, used as it is. */
  readonly userData?: string;
  /** Public keys as authorized_keys has them, for the image's default user. */
  readonly sshKeys?: readonly string[];
}

/** The instance id is the domain's UUID: if it changed with the addresses, cloud-init would make new SSH host keys. */
export const seedFiles = (
  network: StaticNetwork,
  uuid: string,
  networkConfig: Format,
  access: SeedAccess,
): ConfigFile[] => [
  yamlFile('meta-data', [], { 'instance-id': uuid, 'local-hostname': network.hostname }),
  userData(access),
  ...networkConfig(network),
];

function userData({ userData, sshKeys = [] }: SeedAccess): ConfigFile {
  if (userData !== undefined) return { path: 'user-data', text: userData };
  const settings = sshKeys.length === 0 ? [] : [yaml({ ssh_authorized_keys: sshKeys })];
  // cloud-init knows the kind of user-data by its first line.
  return file('user-data', '#cloud-config', ...settings);
}
