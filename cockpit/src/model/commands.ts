/** The commands that dialogs run, as lists of words without `hnet` at their beginning. */
import { canBeTyped } from '../../../src/model/refusal.ts';
import { commandLine } from '../../../src/model/shell.ts';

export type Argv = readonly string[];

/** What a command is about: by its name where that can be typed, or else by its UUID. */
export interface Party {
  readonly uuid: string;
  readonly domain: string;
}

const wordOf = ({ uuid, domain }: Party): string => (canBeTyped(domain) ? domain : uuid);

interface AssignWishes {
  readonly party: Party;
  /** Empty: the first free one of each family. */
  readonly address: string;
  /** Empty: the only interface. */
  readonly nic: string;
  /** Empty: as it is. */
  readonly dhcp: string;
}

export const assignArgv = ({ party, address, nic, dhcp }: AssignWishes): Argv => [
  'assign',
  wordOf(party),
  ...(address === '' ? [] : [address]),
  ...(nic === '' ? [] : ['--nic', nic]),
  ...(dhcp === '' ? [] : ['--dhcp', dhcp]),
];

export const unassignArgv = (party: Party, address: string): Argv => ['unassign', wordOf(party), address];

export const moveArgv = (address: string, from: Party, to: Party): Argv => [
  'move',
  address,
  wordOf(from),
  wordOf(to),
];

/** @param name empty: for nobody */
export const reserveArgv = (address: string, name: string): Argv =>
  // A name may begin with a dash.
  name === '' ? ['reserve', address] : ['reserve', '--', address, name];

export const releaseArgv = (address: string): Argv => ['reserve', '--delete', address];

export const firewallArgv = (party: Party, words: readonly string[]): Argv => [
  'firewall',
  wordOf(party),
  ...words,
];

export const initArgv = (pools: readonly string[]): Argv => [
  'init',
  '--yes',
  ...pools.flatMap(pool => ['--pool', pool]),
];

/** A command as it is run: with an option for programs, before the words that are none. */
export function fullArgv(argv: Argv, ...options: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const place = end === -1 ? argv.length : end;
  return ['hnet', ...argv.slice(0, place), ...options, ...argv.slice(place)];
}

/** The same as one would type it. */
export const typed = (argv: Argv): string => commandLine(['hnet', ...argv]);

export const doctorArgv = (party: Party): Argv => ['doctor', wordOf(party)];

export const guestArgv = (party: Party): Argv => ['guest', wordOf(party), '--format', 'all'];
