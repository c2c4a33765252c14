import { rmSync } from 'node:fs';
import { CommandFailure } from '../host/command.ts';
import { writeAtomically } from '../host/files.ts';
import { Host } from '../host/host.ts';
import { isUuid, RUN_DIRECTORY } from '../model/names.ts';
import { Refusal } from '../model/refusal.ts';
import { type Affects, type Connection, METADATA_KEY, METADATA_URI } from './connection.ts';

/** How long one virsh call may take: an update of a device waits for the guest. */
const LIMIT = 30_000;

const AFFECTS: Readonly<Record<Affects, readonly string[]>> = {
  live: ['--live'],
  config: ['--config'],
  both: ['--live', '--config'],
};

const split = (output: string): string[] =>
  output
    .split(/(?<=^<\/domain>$)/m)
    .map(xml => xml.trim())
    .filter(xml => xml !== '');

/**
 * Talks to libvirt through virsh, where its library can't be loaded (another C library, an unknown
 * processor). Domains are named by UUID, so no name ever becomes an argument.
 * @throws Refusal if the daemon can't be reached
 */
export function openVirsh(): Connection {
  const host = new Host();
  const virsh = (args: readonly string[]): string => {
    try {
      return host.run(['virsh', '--quiet', '--connect', 'qemu:///system', ...args], '', LIMIT);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      const words = error.stderr
        .trim()
        .replace(/^error: /gm, '')
        .replace(/\s*\n\s*/g, '; ');
      throw new Refusal(`Cannot ${args[0]}: ${words || error.message}`);
    }
  };
  /** Many domains in one process; that one of them has ended meanwhile hides none of the others. */
  const dump = (uuids: readonly string[]): string[] => {
    const argv = [
      'virsh',
      '--quiet',
      '--connect',
      'qemu:///system',
      uuids.map(one => `dumpxml ${one}`).join('; '),
    ];
    try {
      return split(host.run(argv, '', LIMIT));
    } catch (error) {
      if (error instanceof CommandFailure) return split(error.stdout);
      throw error;
    }
  };
  return {
    list: () =>
      virsh(['list', '--all', '--uuid'])
        .split('\n')
        .filter(line => line !== ''),
    running: () => {
      const uuids = virsh(['list', '--uuid']).split('\n').filter(isUuid);
      return uuids.length === 0 ? [] : dump(uuids);
    },
    xml: (uuid, inactive) => virsh(['dumpxml', uuid, ...(inactive ? ['--inactive'] : [])]),
    isActive: uuid => virsh(['domstate', uuid]).trim() !== 'shut off',
    isPersistent: uuid => /^Persistent:\s+yes$/m.test(virsh(['dominfo', uuid])),
    hasManagedSave: uuid => /^Managed save:\s+yes$/m.test(virsh(['dominfo', uuid])),
    setMetadata: (uuid, element, affects) => {
      const change = element === undefined ? ['--remove'] : ['--key', METADATA_KEY, '--set', element];
      virsh(['metadata', uuid, METADATA_URI, ...change, ...AFFECTS[affects]]);
    },
    updateDevice: (uuid, device, affects) =>
      withFile(device, file => virsh(['update-device', uuid, file, ...AFFECTS[affects]])),
    attachDevice: (uuid, device, affects) =>
      withFile(device, file => virsh(['attach-device', uuid, file, ...AFFECTS[affects]])),
    close: () => undefined,
  };
}

/** virsh reads a device from a file only, and /dev/stdin can't be opened here: Node's children get a socket there. */
function withFile(text: string, work: (file: string) => void): void {
  const file = `${RUN_DIRECTORY}/device.${process.pid}.xml`;
  writeAtomically(file, text);
  try {
    work(file);
  } finally {
    rmSync(file, { force: true });
  }
}
