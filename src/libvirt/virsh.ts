import { rmSync } from 'node:fs';
import { CommandFailure } from '../host/command.ts';
import { writeAtomically } from '../host/files.ts';
import { Host } from '../host/host.ts';
import { isUuid, METADATA_NAMESPACE, RUN_DIRECTORY } from '../model/names.ts';
import { ifPossible, Refusal, reason } from '../model/refusal.ts';
import { type Affects, type Connection, METADATA_KEY, type Standing } from './connection.ts';

/** Limit for one virsh call, in milliseconds: an update of a device waits for the guest. */
const LIMIT = 30_000;
const VIRSH = ['virsh', '--quiet', '--connect', 'qemu:///system'];

const AFFECTS: Readonly<Record<Affects, readonly string[]>> = {
  live: ['--live'],
  config: ['--config'],
  both: ['--live', '--config'],
};

/** As virsh writes a state and its reason. */
const STANDINGS: readonly (readonly [RegExp, Standing])[] = [
  [/^running /, 'running'],
  [/^paused \((migrating|post-copy)/, 'moving'],
  [/^paused \(user\)/, 'held'],
];

/** Talks to libvirt through virsh. Domains are named by UUID, so no name ever becomes an argument. */
export class VirshConnection implements Connection {
  readonly #host = new Host();

  list = (): string[] => this.#call('list', '--all', '--uuid').split('\n').filter(isUuid);

  running = (): string[] => this.#dump('dumpxml');
  definitions = (): string[] => this.#dump('dumpxml --inactive');

  /** Many domains in one process. When one of them has ended meanwhile, virsh still prints the others. */
  #dump(command: string): string[] {
    const uuids = this.#call('list', '--uuid').split('\n').filter(isUuid);
    if (uuids.length === 0) return [];
    try {
      return splitDump(
        this.#host.run([...VIRSH, uuids.map(one => `${command} ${one}`).join('; ')], '', LIMIT),
      );
    } catch (error) {
      if (error instanceof CommandFailure) return splitDump(error.stdout);
      throw error;
    }
  }

  xml = (uuid: string, inactive: boolean): string =>
    this.#call('dumpxml', uuid, ...(inactive ? ['--inactive'] : []));

  isActive = (uuid: string): boolean => this.#call('domstate', uuid).trim() !== 'shut off';
  standing = (uuid: string): Standing =>
    STANDINGS.find(([words]) =>
      words.test(ifPossible(() => this.#call('domstate', '--reason', uuid)) ?? ''),
    )?.[1] ?? 'other';
  isBusy = (uuid: string): boolean =>
    !/^Job type:\s+None/m.test(ifPossible(() => this.#call('domjobinfo', uuid)) ?? '');
  isPersistent = (uuid: string): boolean => /^Persistent:\s+yes$/m.test(this.#call('dominfo', uuid));
  hasManagedSave = (uuid: string): boolean => /^Managed save:\s+yes$/m.test(this.#call('dominfo', uuid));

  setMetadata(uuid: string, element: string | undefined, affects: Affects): void {
    const change = element === undefined ? ['--remove'] : ['--key', METADATA_KEY, '--set', element];
    this.#call('metadata', uuid, METADATA_NAMESPACE, ...change, ...AFFECTS[affects]);
  }

  updateDevice = (uuid: string, device: string, affects: Affects): void =>
    withFile(device, file => this.#call('update-device', uuid, file, ...AFFECTS[affects]));

  attachDevice = (uuid: string, device: string, affects: Affects): void =>
    withFile(device, file => this.#call('attach-device', uuid, file, ...AFFECTS[affects]));

  close(): void {}

  #call(...args: readonly string[]): string {
    try {
      return this.#host.run([...VIRSH, ...args], '', LIMIT);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      const words = reason(error.stderr.replace(/^error: /gm, ''));
      throw new Refusal(`Cannot ${args[0]}: ${words || error.message}`);
    }
  }
}

/** The domains of one output of several `dumpxml`. */
export const splitDump = (output: string): string[] =>
  output.split(/(?<=^<\/domain>$)/m).flatMap(xml => xml.trim() || []);

/** virsh reads a device from a file only. /dev/stdin is a socket in children of Node, and can't be opened. */
function withFile(text: string, work: (file: string) => void): void {
  const file = `${RUN_DIRECTORY}/device.${process.pid}.xml`;
  writeAtomically(file, text);
  try {
    work(file);
  } finally {
    rmSync(file, { force: true });
  }
}
