/** What the checks look at, gathered once. Anything may be missing: hnet doctor is for hosts in trouble. */
import { statSync } from 'node:fs';
import { type Drops, sharedDrops } from '../firewall/rules/drops.ts';
import { chooseFirewall } from '../host/choose-backend.ts';
import { readIfThere } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { observeForeign } from '../host/observe/foreign.ts';
import { look, sysctl } from '../host/observe/parts.ts';
import { observeUplinks } from '../host/observe/uplink.ts';
import { observeUplinkFacts } from '../host/observe/uplink-facts.ts';
import { readNetwork, readPolicy } from '../host/observe/view.ts';
import { type KnownDomain, withLibvirt } from '../libvirt/libvirt.ts';
import type { Config } from '../model/config.ts';
import { DEFAULT_CONFIG } from '../model/parse-config.ts';
import type { Prefix } from '../model/prefix.ts';
import { ifPossible, Refusal, reason } from '../model/refusal.ts';
import type { Unserved } from '../model/unserved.ts';
import type { UplinkFacts, Uplinks } from '../model/uplink.ts';
import { EMPTY_VIEW, type ForeignFilters, type Policy, type View } from '../model/view.ts';
import { unserved } from '../repair/served.ts';
import { isRejected, loadConfig, readConfigText } from '../state/config-file.ts';
import { readAttachments } from '../state/records.ts';
import { askDelivery, type Delivered } from './ask-delivery.ts';

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
  readonly uplinks: Known<Uplinks>;
  /** The main uplink as it is configured, in each family. */
  readonly configured: Known<readonly UplinkFacts[]>;
  readonly network: Pick<View, 'links' | 'addresses' | 'routes'>;
  readonly policy: Policy;
  /** Other people's filters. */
  readonly strangers: ForeignFilters;
  readonly domains: Known<readonly KnownDomain[]>;
  /** Addresses of running domains that the kernel wouldn't serve. */
  readonly unserved: readonly Unserved[];
  /** What the rules that all domains share have dropped. */
  readonly drops: Drops;
  readonly file: (path: string) => File | undefined;
  /** How the provider hands over an address; see {@link askDelivery}. */
  readonly delivered: (address: Prefix, gateway: Prefix, device: string) => Delivered | undefined;
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
  const given = {
    ...written,
    inForce: written.inForce.map(({ device, mtu }) => ({ ...UNTOLD, device, mtu })),
  };
  const network = knownValue(known(() => readNetwork(host))) ?? EMPTY_VIEW;
  const policy = knownValue(known(() => readPolicy(host))) ?? { rules: [], own: [] };
  const uplinks = known(() => observeUplinks(host, given));
  const strangers = observeForeign(host, chooseFirewall(written));
  const filter = { ...EMPTY_VIEW.filter, foreign: strangers };
  return {
    config,
    isRejected: knownValue(known(() => isRejected(readConfigText()))) === true,
    uplinks,
    configured: known(() => observeUplinkFacts(host, given)),
    network,
    policy,
    unserved:
      uplinks.is === 'unknown' ? [] : readUnserved({ ...network, policy, filter }, uplinks.value, host),
    strangers,
    drops: uplinks.is === 'unknown' ? new Map() : readDrops(written, uplinks.value, host),
    domains: known(() => withLibvirt(libvirt => libvirt.domains())),
    file,
    delivered: (...question) => askDelivery(host, ...question),
    output: (...argv) => host.output(argv),
  };
}

/** Of what stands only the interface counts. */
const UNTOLD = { host: undefined, gateway: undefined, gateway6: undefined };

function readDrops(config: Config, uplinks: Uplinks, host: Host): Drops {
  const firewall = chooseFirewall(config);
  const drops = known(() => sharedDrops(config, uplinks, firewall, look(host, firewall.looks.brief)));
  return knownValue(drops) ?? new Map();
}

/** Of running domains; what else is wrong with them is for `hnet check` to say. */
function readUnserved(
  network: Pick<View, 'links' | 'addresses' | 'policy' | 'filter'>,
  uplinks: Uplinks,
  host: Host,
): readonly Unserved[] {
  const view = { ...EMPTY_VIEW, ...network, sysctl };
  return knownValue(known(() => unserved(readAttachments(), { view, uplinks }, host))) ?? [];
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

/** How hnet's own files come back: by the package that they are of, or else by install.sh. */
export const installAgain = ({ file }: Facts): string =>
  file('/var/lib/dpkg/info/hnet.postinst') === undefined
    ? 'sudo ./install.sh'
    : 'sudo apt install --reinstall ./hnet_*.deb';

/** Where libvirt looks for the hook. */
export const PLACES = ['/etc/libvirt/hooks/qemu.d/hnet', '/etc/libvirt/hooks/qemu'];

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
  const nodes = [...text.matchAll(/\bnode=(\/\S+)$/gm)].map(([, path = '']) => path);
  const node = nodes.find(path => facts.file(path) !== undefined) ?? nodes.at(-1);
  return node === undefined || program === undefined ? undefined : { node, program };
}
