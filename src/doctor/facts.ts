/** What the checks look at. Anything may be missing: hnet doctor is for hosts in trouble. */

import type { KnownPeer } from '../cluster/peers.ts';
import type { Peer } from '../cluster/values.ts';
import type { Drops } from '../firewall/rules/drops.ts';
import { hasTool } from '../host/tools.ts';
import type { KnownDomain } from '../libvirt/libvirt.ts';
import type { ClusterSettings, Config } from '../model/config.ts';
import type { Prefix } from '../model/prefix.ts';
import type { Unserved } from '../model/unserved.ts';
import type { UplinkFacts, Uplinks } from '../model/uplink.ts';
import type { ForeignFilters, Policy, View } from '../model/view.ts';
import type { Delivered, Devices } from './delivered.ts';

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
  /** What this host says of itself to the others of its cluster, and what is known of them; nothing where it is alone. */
  readonly cluster: { readonly self: Known<Peer>; readonly peers: readonly KnownPeer[] };
  /** Other people's filters. */
  readonly strangers: ForeignFilters;
  readonly domains: Known<readonly KnownDomain[]>;
  /** What could not be looked at, and is taken for nothing below: what it is, and why. */
  readonly unseen: readonly { readonly what: string; readonly why: string }[];
  /** Addresses of running domains that the kernel wouldn't serve. */
  readonly unserved: readonly Unserved[];
  /** What the rules that all domains share have dropped. */
  readonly drops: Drops;
  readonly file: (path: string) => File | undefined;
  /** How the provider hands over an address; see {@link askDelivery}. */
  readonly delivered: (address: Prefix, gateway: Prefix, devices: Devices) => Delivered | undefined;
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

/** The settings of the cluster; undefined where the host is alone, or nobody knows. */
export const clusterOf = ({ config }: Pick<Facts, 'config'>): ClusterSettings | undefined =>
  knownValue(config)?.cluster;

/** The first address to which a host name leads, as programs are told; empty where there is none. */
export const leadsTo = (name: string, { output }: Pick<Facts, 'output'>): string =>
  output('getent', 'ahosts', name).split(/\s/)[0] ?? '';

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

/** libvirt is one daemon, or one for each kind of thing; both may be installed. Hooks of QEMU's domains are run by: */
type Daemon = 'libvirtd' | 'virtqemud';
export const DAEMONS: readonly Daemon[] = ['libvirtd', 'virtqemud'];

/** Its service ends when nobody uses it, and its socket starts it again: whether it is in use, the socket tells. */
const isActive = (daemon: Daemon, { output }: Facts): boolean =>
  [`${daemon}.socket`, `${daemon}.service`].some(unit => output('systemctl', 'is-active', unit) !== '');

const isInstalled = (daemon: Daemon, { file }: Facts): boolean =>
  hasTool(daemon, path => file(path) !== undefined);

/** The daemon that starts domains here: the one that runs, or else the one that is installed. */
export function daemonOf(facts: Facts): Daemon {
  const running = DAEMONS.find(daemon => isActive(daemon, facts));
  return running ?? DAEMONS.find(daemon => isInstalled(daemon, facts)) ?? 'libvirtd';
}

/** The command that starts it, with what a domain's interfaces may need beside it. */
export const startOf = (daemon: Daemon): string =>
  daemon === 'libvirtd'
    ? 'systemctl start libvirtd'
    : 'systemctl start virtqemud.socket virtnetworkd.socket virtlogd.socket';
