import { dirname } from 'node:path';
import { parsePrefix } from '../../src/model/address.ts';
import { bridgeNames } from '../../src/model/bridge-names.ts';
import type { Guest } from '../lab/guest.ts';
import type { Host } from '../lab/host.ts';
import type { Lab } from '../lab/lab.ts';
import type { Outcome } from '../lab/run.ts';
import { GATEWAY6, isIpv6, type SiteOptions } from '../lab/site.ts';
import { COMMAND, HOOK } from './build.ts';
import { type DomainOptions, domainXml, type Wanted } from './domain.ts';
import { gateWith } from './gate.ts';

/** Which of the two kinds of iptables the host uses. */
export type Variant = 'nft' | 'legacy';
export const VARIANTS: readonly Variant[] = ['nft', 'legacy'];

/** The pools that the lab's provider routes to h1. */
export const POOLS = ['123.45.90.112/29', '123.45.53.11', '123.45.53.12', '123.45.53.13'];
/** And those of both families. */
export const POOLS6 = [...POOLS, '2001:db8:12:48::/64', '2001:db8:12:4900::/56'];
export const CONFIG = `pools = ${JSON.stringify(POOLS)}
[dhcp]
dns = ["123.45.200.10", "9.9.9.9"]
`;

/** Where the programs are that a test has replaced. */
export const REAL = '/run/lab/real';

/** What libvirtd gives its hooks: the root as directory, and no more environment than this. */
const LIBVIRTD = ['env', '-i', '-C', '/', 'LC_ALL=C'];

export interface SceneOptions {
  readonly variant?: Variant;
  readonly config?: string;
  /** What the provider routes to the host, where it isn't {@link POOLS}. */
  readonly pools?: readonly string[];
  /** How it hands over IPv4, and IPv6. */
  readonly ipv4?: SiteOptions['ipv4'];
  readonly ipv6?: SiteOptions['ipv6'];
  /** Which of the lab's hosts: several may stand side by side. What is routed from outside is routed to h1. */
  readonly name?: string;
}

/**
 * A host in the lab on which the bundled hook runs as libvirt calls it: domain XML on standard input, nothing in
 * the environment to rely on. Veth guests stand in for VMs; libvirt itself is missing, and nothing else.
 */
export class Scene {
  readonly host: Host;
  readonly lab: Lab;
  readonly #wanted = new Map<string, readonly Wanted[]>();

  private constructor(lab: Lab, host: Host) {
    this.lab = lab;
    this.host = host;
  }

  static async create(lab: Lab, options: SceneOptions = {}): Promise<Scene> {
    const { name = 'h1', pools, ipv4, ipv6 } = options;
    const host = await lab.host(name, {
      ...(pools && { pools }),
      ...(ipv4 && { ipv4 }),
      ...(ipv6 && { ipv6 }),
    });
    const scene = new Scene(lab, host);
    await scene.configure(options.config ?? CONFIG);
    await useIptables(host, options.variant ?? 'nft');
    return scene;
  }

  configure(text: string): Promise<void> {
    return this.host.write('/etc/hnet/hnet.toml', text);
  }

  /** Sets, chains, blackholes, as after install.sh. */
  base(): Promise<string> {
    return this.host.run([process.execPath, COMMAND, 'base', 'up']);
  }

  /** What `install.sh --uninstall` calls. */
  baseDown(): Promise<string> {
    return this.host.run([process.execPath, COMMAND, 'base', 'down']);
  }

  /** One call of the hook, whatever comes of it: a release through the gate, which may need no node for it. */
  async hook(operation: string, name: string, xml: string, node = process.execPath): Promise<Outcome> {
    const isEnd = operation === 'release' || operation === 'stopped';
    const program = isEnd ? ['sh', await this.#gate(node)] : [node, HOOK];
    const argv = [...program, name, operation, isEnd ? 'end' : 'begin', '-'];
    return this.host.attempt([...LIBVIRTD, ...argv], { input: xml });
  }

  /** The gate before the program, where both are. */
  async #gate(node: string): Promise<string> {
    const gate = '/run/lab/gate';
    await this.host.write(gate, gateWith(node).replaceAll('/usr/lib/hnet/qemu.cjs', HOOK));
    return gate;
  }

  /** A start that may be refused. */
  attemptPrepare(name: string, addresses: readonly Wanted[]): Promise<Outcome> {
    this.#wanted.set(name, addresses);
    return this.hook('prepare', name, domainXml(name, { addresses }));
  }

  /** A start that must succeed, in silence. */
  async prepare(name: string, addresses: readonly Wanted[]): Promise<void> {
    expectSilence('prepare', name, await this.attemptPrepare(name, addresses));
  }

  /** The end of a domain, with the metadata it was started with unless others are given. */
  async release(name: string, options?: DomainOptions, node?: string): Promise<void> {
    const xml = domainXml(name, options ?? { addresses: this.#wanted.get(name) ?? [] });
    expectSilence('release', name, await this.hook('release', name, xml, node));
  }

  /** libvirtd was restarted while the domain ran. Anything but silence and success would kill the VM. */
  async reconnect(name: string, taps: DomainOptions['taps'] = []): Promise<void> {
    const xml = domainXml(name, { addresses: this.#wanted.get(name) ?? [], taps });
    expectSilence('reconnect', name, await this.hook('reconnect', name, xml));
  }

  /** A domain with one address that runs: prepared, its guest plugged in and configured as the user would. */
  async start(name: string, ip: string): Promise<Guest> {
    await this.prepare(name, [ip]);
    const guest = await this.host.guest({ name, bridge: bridgeOf(ip) });
    await guest.static(ip, gatewayFor(ip, this.host));
    return guest;
  }

  /**
   * Puts a script in the place of a program, for this host alone; {@link REAL} holds the program itself, under its
   * own name, for many programs go by it. Without a script the program is missing.
   */
  async replace(program: string, script?: string): Promise<void> {
    await this.overlay(dirname(program));
    await this.host.sh(`mkdir -p ${REAL}; cp -L ${program} ${REAL}/; mv ${program} ${program}.saved`);
    if (script === undefined) return;
    await this.host.write(program, `#!/bin/sh\n${script}\n`);
    await this.host.run(['chmod', '755', program]);
  }

  /** Undoes {@link replace}. */
  async restore(program: string): Promise<void> {
    await this.host.run(['mv', `${program}.saved`, program]);
  }

  /** Lets this host change a directory that it shares with the machine beneath. */
  async overlay(directory: string): Promise<void> {
    const own = `/run/lab/overlay${directory.replaceAll('/', '-')}`;
    await this.host.sh(`[ ! -d ${own} ] || exit 0
      mkdir -p ${own}/upper ${own}/work
      mount -t overlay overlay -o lowerdir=${directory},upperdir=${own}/upper,workdir=${own}/work ${directory}`);
  }

  remove(): Promise<void> {
    return this.host.remove();
  }
}

/** The article's name for an address' bridge. */
export const bridgeOf = (ip: string): string => bridgeNames(parsePrefix(ip))[0] ?? '';

/** Who is the gateway of an address. */
export const gatewayFor = (ip: string, host: Host): string => (isIpv6(ip) ? GATEWAY6 : host.address);

function expectSilence(operation: string, name: string, { code, stdout, stderr }: Outcome): void {
  if (code === 0 && stdout === '' && stderr === '') return;
  throw new Error(`${operation} of ${JSON.stringify(name)}: code ${code}, "${stdout}", "${stderr}"`);
}

/** Debian chooses the kind by links in /etc, which is the host's own. */
async function useIptables(host: Host, variant: Variant): Promise<void> {
  const links = ['iptables', 'ip6tables'].flatMap(tool =>
    ['', '-save', '-restore'].map(
      action => `ln -sf /usr/sbin/${tool}-${variant}${action} /etc/alternatives/${tool}${action}`,
    ),
  );
  await host.sh(links.join('\n'));
}
