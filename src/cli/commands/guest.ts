import { readFileSync } from 'node:fs';
import { GUEST_FORMATS, pickFormat, printNetwork } from '../../guest/formats.ts';
import { guestNetwork, type StaticNetwork } from '../../guest/network.ts';
import { type SeedAccess, seedFiles } from '../../guest/seed.ts';
import { refuseExisting, writeImage } from '../../guest/seed-image.ts';
import type { Context } from '../../host/context.ts';
import { observeUplinks } from '../../host/observe/uplink.ts';
import { pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { requireAssignment } from '../../lifecycle/admission.ts';
import { INTERFACE_NAME } from '../../model/names.ts';
import { quote, Refusal, reason, UsageRefusal } from '../../model/refusal.ts';
import { shellWord } from '../../model/shell.ts';
import { surroundings } from '../../model/uplink.ts';

interface GuestOptions {
  readonly format?: string;
  readonly interface?: readonly string[];
  readonly seed?: string;
  readonly sshKey?: string;
  readonly userData?: string;
  readonly json?: boolean;
}

/** Formats that cloud-init reads. Most of today's images hand version 2 to netplan unchanged. */
const SEED_FORMATS = ['cloud-init', 'cloud-init-v1'] as const;

/** Prints what the domain's own system must configure, or writes it as a seed image for cloud-init. */
export function guest(name: string, options: GuestOptions, context: Context): void {
  refuseBadUsage(options);
  if (options.seed !== undefined) refuseExisting(options.seed);
  const config = context.config();
  const { next } = withLibvirt(libvirt => pick(libvirt.domains(), name));
  const assigned = requireAssignment(next, 'configure').addresses;
  const around = surroundings(config, observeUplinks(context.host, config));
  const network = guestNetwork(next, assigned, around, config.dhcp, options.interface);
  if (network.dns.length === 0)
    context.warn('no name server of a family that the domain has: add one to "dns" in hnet.toml');
  if (options.seed === undefined) {
    const { name: domain, uuid } = next;
    context.answer({ domain, uuid, formats: formatsShown(network, options.format) });
    context.print(printNetwork(network, options.format).trimEnd());
  } else writeSeed(options.seed, next.uuid, network, options, context);
}

const formatsShown = (network: StaticNetwork, wanted: string | undefined): object[] =>
  Object.entries(GUEST_FORMATS)
    .filter(([name]) => wanted === 'all' || name === wanted)
    .map(([name, format]) => ({ format: name, files: format(network) }));

/** Checks everything that needs no answer of libvirt. */
function refuseBadUsage(options: GuestOptions): void {
  const { format, seed, sshKey, userData, interface: names = [] } = options;
  const odd = names.find(one => !INTERFACE_NAME.test(one));
  if (odd !== undefined)
    throw new UsageRefusal(`Cannot use --interface ${quote(odd)}: it is not an interface's name`);
  if (seed === undefined) {
    if (sshKey !== undefined || userData !== undefined)
      throw new UsageRefusal('Cannot use --ssh-key or --user-data: they go into a seed image, with --seed');
    if (format !== 'all') pickFormat(GUEST_FORMATS, format, ['all']);
    return;
  }
  if (options.json)
    throw new UsageRefusal('Cannot use --json with --seed: it answers the configuration, not an image');
  if (format !== undefined && !SEED_FORMATS.some(known => known === format))
    throw new UsageRefusal(
      `Cannot use --format ${quote(format)} in a seed image: it takes ${SEED_FORMATS.join(' or ')}`,
    );
  if (sshKey !== undefined && userData !== undefined)
    throw new UsageRefusal('Cannot use --ssh-key with --user-data: name the key in that file');
}

function writeSeed(
  path: string,
  uuid: string,
  network: StaticNetwork,
  options: GuestOptions,
  context: Context,
): void {
  const format = pickFormat(GUEST_FORMATS, options.format ?? SEED_FORMATS[0]);
  const files = seedFiles(network, uuid, format, readAccess(options));
  context.progress(`writing ${path}`);
  const image = writeImage(path, files, context.host);
  context.print(`${image} written; to attach it:`);
  context.print(
    `virsh attach-disk ${uuid} ${shellWord(image)} sdb --targetbus sata --type cdrom --mode readonly --config`,
  );
}

function readAccess({ sshKey, userData }: GuestOptions): SeedAccess {
  if (userData !== undefined) return { userData: readText(userData) };
  if (sshKey === undefined) return {};
  const lines = readText(sshKey).split('\n');
  const keys = lines.map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#'));
  // A private key handed to a virtual machine by mistake can't be taken back.
  const stranger = keys.find(key => !/^(ssh-|ecdsa-|sk-)\S+ \S+/.test(key));
  if (keys.length === 0 || stranger !== undefined)
    throw new Refusal(`Cannot use ${quote(sshKey)}: it is not a file of public SSH keys`);
  return { sshKeys: keys };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Refusal(`Cannot read ${quote(path)}: ${reason(error)}`);
  }
}
