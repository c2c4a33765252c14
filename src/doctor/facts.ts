/** What the checks look at, gathered once. Anything may be missing: hnet doctor is for hosts in trouble. */
import { statSync } from 'node:fs';
import { sharedDrops } from '../firewall/rules/drops.ts';
import { CAUSES } from '../firewall/rules/rules.ts';
import { chooseFirewall } from '../host/choose-backend.ts';
import { readIfThere } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { observeForeign } from '../host/observe/foreign.ts';
import { look, sysctl } from '../host/observe/parts.ts';
import { observeLinks } from '../host/observe/start.ts';
import { observeUplink } from '../host/observe/uplink.ts';
import { observeUplinkFacts } from '../host/observe/uplink-facts.ts';
import { readNetwork, readPolicy } from '../host/observe/view.ts';
import { waitFor } from '../host/wait.ts';
import { Wire } from '../host/wire.ts';
import { type KnownDomain, withLibvirt } from '../libvirt/libvirt.ts';
import { format } from '../model/address.ts';
import type { Config } from '../model/config.ts';
import { DEFAULT_CONFIG } from '../model/parse-config.ts';
import { isLinkLocal, type Prefix } from '../model/prefix.ts';
import { ifPossible, Refusal, reason } from '../model/refusal.ts';
import type { Unserved } from '../model/unserved.ts';
import type { Uplink, UplinkFacts } from '../model/uplink.ts';
import { EMPTY_VIEW, type ForeignFilters, type Policy, type View } from '../model/view.ts';
import { unserved } from '../repair/served.ts';
import { isRejected, loadConfig, readConfigText } from '../state/config-file.ts';
import { readAttachments } from '../state/records.ts';
import { ping, readFrame } from './frames.ts';

/** A fact, or why it isn't known. */
export type Known<T> =
  | { readonly is: 'known'; readonly value: T }
  | { readonly is: 'unknown'; readonly why: string };

/** What is known, or undefined. */
export const knownValue = <T>(fact: Known<T>): T | undefined =>
  fact.is === 'known' ? fact.value : undefined;

export interface Facts {
  readonly config: Known<Config>;
  /** Whether what is written is a configuration that cut off the host, so that the one before it is in force. */
  readonly isRejected: boolean;
  readonly uplink: Known<Uplink>;
  /** The uplink as it is configured, in each family. */
  readonly uplinks: Known<readonly UplinkFacts[]>;
  readonly network: Pick<View, 'links' | 'addresses' | 'routes'>;
  readonly policy: Policy;
  /** Other people's filters. */
  readonly strangers: ForeignFilters;
  readonly domains: Known<readonly KnownDomain[]>;
  /** Addresses of running domains that the kernel wouldn't serve. */
  readonly unserved: readonly Unserved[];
  /** Packets that other networks of the host have sent under addresses of domains; they were dropped. */
  readonly impostors: bigint;
  readonly file: (path: string) => File | undefined;
  /** Whether the provider sends an answer to an address here; see {@link answersArrive}. */
  readonly arrives: (address: Prefix, gateway: Prefix, device: string) => boolean | undefined;
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
  const written = knownValue(config) ?? DEFAULT_CONFIG;
  // Of what stands only the interface counts: it is asked whether the rest is still true.
  const given = { ...written, uplink: written.uplink ?? written.inForce?.device, inForce: undefined };
  const network = knownValue(known(() => readNetwork(host))) ?? EMPTY_VIEW;
  const policy = knownValue(known(() => readPolicy(host))) ?? { rules: [], table: [] };
  const uplink = known(() => observeUplink(host, given));
  return {
    config,
    isRejected: knownValue(known(() => isRejected(readConfigText()))) === true,
    uplink,
    uplinks: known(() => observeUplinkFacts(host, given)),
    network,
    policy,
    unserved: uplink.is === 'unknown' ? [] : readUnserved({ ...network, policy }, uplink.value, host),
    strangers: observeForeign(host, chooseFirewall(written)),
    impostors: uplink.is === 'unknown' ? 0n : readImpostors(written, uplink.value, host),
    domains: known(() => withLibvirt(libvirt => libvirt.domains())),
    file,
    arrives: (...question) => answersArrive(host, ...question),
    output: (...argv) => host.output(argv),
  };
}

function readImpostors(config: Config, uplink: Uplink, host: Host): bigint {
  const firewall = chooseFirewall(config);
  const drops = known(() => sharedDrops(config, uplink, firewall, look(host, firewall.looks.brief)));
  return knownValue(drops)?.get(CAUSES.impostor)?.packets ?? 0n;
}

/** Of running domains; what else is wrong with them is for `hnet check` to say. */
function readUnserved(
  network: Pick<View, 'links' | 'addresses' | 'policy'>,
  uplink: Uplink,
  host: Host,
): readonly Unserved[] {
  const view = { ...EMPTY_VIEW, ...network, sysctl };
  return knownValue(known(() => unserved(readAttachments(), { view, uplink }, host))) ?? [];
}

/**
 * Pings the gateway from an address that nobody holds, by a frame past the host's own addresses, so that nothing on the
 * host changes. Nobody answers solicitations for the address: the gateway's answer arrives only if the provider routes it
 * here.
 * @returns undefined where that can't be found out
 */
function answersArrive(host: Host, source: Prefix, gateway: Prefix, device: string): boolean | undefined {
  const toMac = macOf(host, gateway, device);
  const fromMac = observeLinks(host, [device]).get(device)?.mac;
  if (toMac === undefined || fromMac === undefined) return undefined;
  const wire = knownValue(known(() => Wire.open(device)));
  if (wire === undefined) return undefined;
  const request = ping({ fromMac, source }, toMac, gateway, process.pid & 0xffff);
  const isAnswered = (): boolean => [...wire.received()].some(one => !one.out && isPong(one.bytes, source));
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      wire.send(request);
      if (waitFor(isAnswered, WAIT)) return true;
    }
    return false;
  } finally {
    wire.close();
  }
}

function isPong(frame: Uint8Array, address: Prefix): boolean {
  const message = readFrame(frame);
  return message?.is === 'pong' && message.destination === format(address);
}

/** So many requests, and how long each waits for its answer, in milliseconds. */
const ATTEMPTS = 3;
const WAIT = 1000;

/** The gateway's MAC. An ordinary ping makes the kernel find it out, where it doesn't know it already. */
function macOf(host: Host, gateway: Prefix, device: string): string | undefined {
  const target = isLinkLocal(gateway) ? `${format(gateway)}%${device}` : format(gateway);
  host.output(['ping', '-6', '-n', '-q', '-c', '1', '-w', '2', target]);
  const shown = host.output(['ip', '-6', 'neigh', 'show', format(gateway), 'dev', device]);
  return / lladdr ([\da-f:]{17})/.exec(shown)?.[1];
}

function known<T>(read: () => T): Known<T> {
  try {
    return { is: 'known', value: read() };
  } catch (error) {
    if (error instanceof Refusal) return { is: 'unknown', why: reason(error) };
    throw error;
  }
}

function file(path: string): File | undefined {
  const status = ifPossible(() => statSync(path));
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
