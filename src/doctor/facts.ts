/** What the checks look at, gathered once. Anything may be missing: hnet doctor is for hosts in trouble. */
import { statSync } from 'node:fs';
import { chooseFirewall } from '../host/choose-backend.ts';
import { readIfThere } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { observeForeign } from '../host/observe/foreign.ts';
import { sysctl } from '../host/observe/parts.ts';
import { observeUplink } from '../host/observe/uplink.ts';
import { observeUplinkFacts } from '../host/observe/uplink-facts.ts';
import { readNetwork } from '../host/observe/view.ts';
import { type KnownDomain, withLibvirt } from '../libvirt/libvirt.ts';
import { format, formatLong } from '../model/address.ts';
import type { Config } from '../model/config.ts';
import { DEFAULT_CONFIG } from '../model/parse-config.ts';
import { isLinkLocal, type Prefix } from '../model/prefix.ts';
import { Refusal, reason } from '../model/refusal.ts';
import type { Uplink, UplinkFacts } from '../model/uplink.ts';
import { EMPTY_VIEW, type ForeignFilters, type View } from '../model/view.ts';
import { type Unserved, unserved } from '../repair/served.ts';
import { loadConfig } from '../state/config-file.ts';
import { readEntries } from '../state/records.ts';

/** A fact, or why it isn't known. */
export type Known<T> =
  | { readonly is: 'known'; readonly value: T }
  | { readonly is: 'unknown'; readonly why: string };

/** What is known, or undefined. */
export const knownValue = <T>(fact: Known<T>): T | undefined =>
  fact.is === 'known' ? fact.value : undefined;

export interface Facts {
  readonly config: Known<Config>;
  readonly uplink: Known<Uplink>;
  /** The uplink as it is configured, in each family. */
  readonly uplinks: Known<readonly UplinkFacts[]>;
  readonly network: Pick<View, 'links' | 'addresses' | 'routes'>;
  /** Other people's filters. */
  readonly strangers: ForeignFilters;
  readonly domains: Known<readonly KnownDomain[]>;
  /** Addresses of running domains that the kernel wouldn't serve. */
  readonly unserved: readonly Unserved[];
  readonly file: (path: string) => File | undefined;
  /** Whether the provider sends an answer to an address here; see {@link answersArrive}. */
  readonly arrives: (address: Prefix, gateway: Prefix, device: string) => boolean;
  /** What a command prints; nothing if it can't be run, or fails. */
  readonly output: (...argv: readonly string[]) => string;
}

export interface File {
  readonly text: string;
  readonly mode: number;
  readonly owner: number;
  /** When it was put there, in seconds since the epoch. */
  readonly since: number;
  readonly isRegular: boolean;
}

export function gather(host: Host): Facts {
  const config = known(() => loadConfig());
  const given = knownValue(config) ?? DEFAULT_CONFIG;
  const network = knownValue(known(() => readNetwork(host))) ?? EMPTY_VIEW;
  const uplink = known(() => observeUplink(host, given));
  return {
    config,
    uplink,
    uplinks: known(() => observeUplinkFacts(host, given)),
    network,
    unserved: uplink.is === 'unknown' ? [] : readUnserved(network, uplink.value, host),
    strangers: observeForeign(host, chooseFirewall(given)),
    domains: known(() => withLibvirt(libvirt => libvirt.domains())),
    file,
    arrives: (...question) => answersArrive(host, ...question),
    output: (...argv) => host.output(argv),
  };
}

/** Of running domains; what else is wrong with them is for `hnet check` to say. */
function readUnserved(network: Facts['network'], uplink: Uplink, host: Host): readonly Unserved[] {
  const view = { ...EMPTY_VIEW, ...network, sysctl };
  const running = readEntries().flatMap(({ content }) => (typeof content === 'string' ? [] : [content]));
  return knownValue(known(() => unserved(running, { view, uplink }, host))) ?? [];
}

/**
 * Pings the gateway from an address that nobody holds. On the loopback interface the host answers no solicitations for
 * it: the gateway's answer arrives only if the provider routes it here. It expires by itself, even if we are killed.
 */
function answersArrive(host: Host, address: Prefix, gateway: Prefix, device: string): boolean {
  const own = formatLong(address);
  const target = isLinkLocal(gateway) ? `${format(gateway)}%${device}` : format(gateway);
  try {
    host.run(['ip', 'address', 'replace', own, 'dev', 'lo', ...PASSING]);
    host.run(['ping', '-6', '-n', '-c', '3', '-i', '0.3', '-w', '3', '-I', format(address), target]);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  } finally {
    known(() => host.run(['ip', 'address', 'delete', own, 'dev', 'lo']));
  }
}

const PASSING = ['valid_lft', '10', 'preferred_lft', '0', 'noprefixroute'];

function known<T>(read: () => T): Known<T> {
  try {
    return { is: 'known', value: read() };
  } catch (error) {
    if (error instanceof Refusal) return { is: 'unknown', why: reason(error) };
    throw error;
  }
}

function file(path: string): File | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  const { mode, uid: owner, ctimeMs } = status;
  const text = status.isFile() ? (readIfThere(path) ?? '') : '';
  return { text, mode, owner, since: ctimeMs / 1000, isRegular: status.isFile() };
}

/** Where libvirt looks for the hook. */
export const PLACES = ['/etc/libvirt/hooks/qemu', '/etc/libvirt/hooks/qemu.d/hnet'];

/** Our hook and its path. */
export function findHook(facts: Facts): { path: string; file: File } | undefined {
  for (const path of PLACES) {
    const file = facts.file(path);
    if (file?.text.includes('# hnet:')) return { path, file };
  }
  return undefined;
}

/** The interpreter of the hook, and the program that it runs. */
export function interpreterOf(facts: Facts): { node: string; program: string } | undefined {
  const text = findHook(facts)?.file.text ?? '';
  const [, program] = /^program=(\S+)$/m.exec(text) ?? [];
  const [, node] = /"(\/[^"]+)" \$program/.exec(text) ?? [];
  return node === undefined || program === undefined ? undefined : { node, program };
}
