/** Why a DHCP server doesn't come up: somebody else has its port, or a security module keeps it from our files. */
import { DHCP_DIRECTORY, LEASES_DIRECTORY } from '../model/names.ts';
import { quote } from '../model/refusal.ts';
import { shellWord } from '../model/shell.ts';
import type { Service } from '../resources/action.ts';
import { readIfThere, writeAtomically } from './files.ts';

/**
 * @param words what it said, or what is known instead
 * @param output what a command prints
 * @returns the explanation, which the server's file of words has too from now on; `isTaken`: somebody else holds its port
 */
export function explainEnd(
  server: Service,
  words: string,
  output: (argv: readonly string[]) => string,
  read: Read = readIfThere,
): { why: string; isTaken: boolean } {
  const isTaken = /Address already in use/.test(words);
  const why = [words, ...(isTaken ? takers(server, output) : confinement(words, read))].join('; ');
  writeAtomically(server.words, `${why}\n`);
  return { why, isTaken };
}

const takers = ({ ports }: Service, output: (argv: readonly string[]) => string): string[] =>
  ports.flatMap(port =>
    holdersOf(port, output).map(holder => `UDP port ${port} is held by ${nameHolder(holder)}`),
  );

/** A profile also takes away the file for its words: then there are none. */
function confinement(words: string, read: Read): string[] {
  if (!/Permission denied|^it ended at once$/.test(words)) return [];
  const found = confinementOfDnsmasq(read);
  return found === undefined ? [] : [`${found.by}; allow it to read hnet's files: ${found.mend}`];
}

/** A process that has a socket at a port. */
export interface Holder {
  readonly name: string;
  readonly pid: number;
  /** The one interface that the socket is bound to; undefined: all. */
  readonly device: string | undefined;
}

/** `-p` reads every process's descriptors: only where a port was found taken, and by `hnet doctor`. */
export const holdersCommand = (port: number): string[] => ['ss', '-Hulnp', `sport = :${port}`];

/**
 * The holders of a port, as {@link holdersCommand} prints them, without our own servers.
 * @param commandLine of a process, with NUL between its words
 */
export const parseHolders = (text: string, commandLine: (pid: number) => string | undefined): Holder[] =>
  text.split('\n').flatMap(line => {
    const [, device] = /^\S+ +\d+ +\d+ +\S+?(?:%(\S+?))?:\d+ /.exec(line) ?? [];
    const processes = [...line.matchAll(/\("((?:[^"\\]|\\.)*)",pid=(\d+),/g)];
    return processes
      .map(([, name = '', pid]) => ({ name, pid: Number(pid), device }))
      .filter(({ pid }) => !commandLine(pid)?.includes(`--conf-file=${DHCP_DIRECTORY}/`));
  });

/** The holders of a port on this host, without our own servers. @param output what a command prints */
export const holdersOf = (port: number, output: (argv: readonly string[]) => string): Holder[] =>
  parseHolders(output(holdersCommand(port)), pid => readIfThere(`/proc/${pid}/cmdline`));

/** For people: `"kea-dhcp4" (pid 4711)`. */
export const nameHolder = ({ name, pid }: Holder): string => `${quote(name)} (pid ${pid})`;

/** Reads a short text on the host; undefined if there is none. */
type Read = (path: string) => string | undefined;

const PROFILES = '/sys/kernel/security/apparmor/profiles';
const LOCAL = '/etc/apparmor.d/local/usr.sbin.dnsmasq';
const PROFILE = '/etc/apparmor.d/usr.sbin.dnsmasq';
const ENFORCE = '/sys/fs/selinux/enforce';

/** What the profile of dnsmasq must allow: the configuration, the leases, and what it says before it gives up. */
const RULES = [
  `${DHCP_DIRECTORY}/*.conf r,`,
  `${DHCP_DIRECTORY}/*.words w,`,
  `${LEASES_DIRECTORY}/*.leases rw,`,
];

interface Confinement {
  readonly by: string;
  /** The command that lets dnsmasq at our files. */
  readonly mend: string;
}

/** A profile as the kernel lists it, `NAME (MODE)`; the older ones of dnsmasq are named after its path. */
const ENFORCED = /^(?:\/usr\/(?:s?bin|\{bin,sbin\})\/)?dnsmasq \((?:enforce|kill)\)$/m;

/** What confines dnsmasq and wasn't told of our files. */
export function confinementOfDnsmasq(read: Read): Confinement | undefined {
  if (ENFORCED.test(read(PROFILES) ?? '') && !RULES.every(rule => read(LOCAL)?.includes(rule)))
    return {
      by: 'AppArmor confines dnsmasq',
      mend: `printf '%s\\n' ${RULES.map(shellWord).join(' ')} >>${LOCAL} && apparmor_parser -r ${PROFILE}`,
    };
  if (read(ENFORCE)?.trim() === '1')
    return {
      by: 'SELinux is enforcing, and confines dnsmasq',
      mend: 'semanage permissive -a dnsmasq_t',
    };
  return undefined;
}
