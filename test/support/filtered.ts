import { build } from 'esbuild';
import { RULESET } from '../../src/firewall/foreign/parse-nft.ts';
import { dropsOfBudgets, readBudgets } from '../../src/firewall/nftables/budgets.ts';
import type { Firewall, Look } from '../../src/firewall/rules/backend.ts';
import { countedRules, dropsByCause } from '../../src/firewall/rules/counters.ts';
import { policyChains } from '../../src/firewall/rules/policy-chains.ts';
import { CAUSES } from '../../src/firewall/rules/rules.ts';
import { ruleset } from '../../src/firewall/rules/ruleset.ts';
import { firewallOf } from '../../src/host/choose-backend.ts';
import { format, parsePrefix } from '../../src/model/address.ts';
import { articleScope, bridgeMac } from '../../src/model/names.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Family } from '../../src/model/prefix.ts';
import { parseRule } from '../../src/model/rule.ts';
import type { FilterView } from '../../src/model/view.ts';
import { escapeXml } from '../../src/model/xml.ts';
import type { Guest } from '../lab/guest.ts';
import type { Lab } from '../lab/lab.ts';
import type { Machine } from '../lab/machine.ts';
import { expectSuccess } from '../lab/run.ts';
import { isIpv6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { COMMAND, NODE, PROJECT } from './build.ts';
import { domainXml, uuidOf } from './domain.ts';
import type { Request } from './inside.ts';
import { bridgeOf, gatewayFor, POOLS, Scene } from './scene.ts';
import { UPLINK } from './uplink.ts';
import { Wire } from './wire.ts';

/** The three filters that hnet runs on; every scenario of the filter is played on each. */
export type Backend = 'iptables-nft' | 'iptables-legacy' | 'nftables';
export const BACKENDS: readonly Backend[] = ['iptables-nft', 'iptables-legacy', 'nftables'];

export type Cause = keyof typeof CAUSES;

/** A policy in the words of `hnet firewall`. */
export interface PolicyWords {
  readonly default?: 'allow' | 'deny';
  readonly isolate?: boolean;
  readonly rules?: readonly string[];
}

export interface FilteredOptions {
  /** Lines of the configuration's table [firewall]. */
  readonly firewall?: string;
  readonly pools?: readonly string[];
  /** What of these the provider routes here; undefined: all. */
  readonly routed?: readonly string[];
  /** Which of the lab's hosts, and further tables of its configuration. */
  readonly name?: string;
  readonly tables?: string;
  /** What the host is made to look like before the base is set up: by a script, or by whatever else. */
  readonly given?: string | ((host: Scene['host']) => Promise<unknown>);
}

/** One address of a domain, or several on one bridge, which is named after the first. */
export type Addresses = string | readonly string[];
const listed = (ips: Addresses): readonly string[] => (typeof ips === 'string' ? [ips] : ips);
const firstOf = (ips: Addresses): string => listed(ips)[0] ?? '';
/** The first of each family, with which a default route comes; the others are the test's to configure. */
const firstOfEach = (ips: Addresses): string[] =>
  [false, true].flatMap(six => listed(ips).find(ip => isIpv6(ip) === six) ?? []);

/** Packets and bytes, both ways. */
export interface Total {
  readonly in: { readonly packets: number; readonly bytes: number };
  readonly out: { readonly packets: number; readonly bytes: number };
}

/** A scene on one of the backends, with domains that have policies, and an eye on what the filter counts. */
export class Filtered {
  readonly scene: Scene;
  backend: Backend;
  #options: FilteredOptions;
  readonly #policies = new Map<string, Policy>();
  /** Writes the program of {@link inside}, once. */
  #inside: Promise<void> | undefined;

  private constructor(scene: Scene, backend: Backend, options: FilteredOptions) {
    this.scene = scene;
    this.backend = backend;
    this.#options = options;
  }

  static async create(lab: Lab, backend: Backend, options: FilteredOptions = {}): Promise<Filtered> {
    const variant = backend === 'iptables-legacy' ? 'legacy' : 'nft';
    const { name, pools: shared, routed: pools = shared } = options;
    const scene = await Scene.create(lab, { variant, ...(pools && { pools }), ...(name && { name }) });
    const filtered = new Filtered(scene, backend, options);
    await filtered.configure(backend);
    const { given = '' } = options;
    await (typeof given === 'string' ? scene.host.sh(given) : given(scene.host));
    await scene.base();
    return filtered;
  }

  get host(): Scene['host'] {
    return this.scene.host;
  }

  get lab(): Lab {
    return this.scene.lab;
  }

  get firewall(): Firewall {
    const backend = this.backend === 'nftables' ? 'nftables' : 'iptables';
    return firewallOf(backend, this.#pools.map(parsePrefix));
  }

  get #pools(): readonly string[] {
    return this.#options.pools ?? POOLS;
  }

  get #config(): string {
    return `pools = ${JSON.stringify(this.#pools)}
[firewall]
backend = "${this.firewall.name}"
${this.#options.firewall ?? ''}
${this.#options.tables ?? ''}
`;
  }

  /** Writes the configuration for a backend, which is then still to be brought about. */
  async configure(backend: Backend): Promise<void> {
    this.backend = backend;
    await this.scene.configure(this.#config);
  }

  /** Other lines in the table [firewall], in force at once. */
  async reconfigure(firewall: string): Promise<void> {
    this.#options = { ...this.#options, firewall };
    await this.configure(this.backend);
    await this.sync();
  }

  /** Where there is no libvirt it repairs all the same, and fails, because it couldn't look at everything. */
  async sync(): Promise<string> {
    const outcome = await this.host.attempt([process.execPath, COMMAND, 'sync']);
    const isBlind =
      outcome.code === 1 && /^hnet: [^\n]*; what no domain owns stays, [^\n]*$/.test(outcome.stderr);
    return isBlind ? outcome.stdout : expectSuccess(['hnet', 'sync'], outcome);
  }

  /** A domain that runs, its guest plugged in and configured as the user would. */
  async start(name: string, ips: Addresses, policy: PolicyWords = {}): Promise<Guest> {
    await this.prepare(name, ips, policy);
    const guest = await this.host.guest({ name, bridge: bridgeOf(firstOf(ips)) });
    for (const ip of firstOfEach(ips)) await guest.static(ip, gatewayFor(ip, this.host));
    return guest;
  }

  async prepare(name: string, ips: Addresses, policy: PolicyWords = {}): Promise<void> {
    const outcome = await this.scene.hook('prepare', name, this.xml(name, ips, policy));
    if (outcome.code !== 0) throw new Error(outcome.stderr);
  }

  release(name: string, ips: Addresses): Promise<void> {
    return this.scene.release(name, { metadata: toMetadata(name, ips, {}) });
  }

  /** What `hnet firewall`, `assign` and `unassign` do for a running domain: all of it anew, in force at once. */
  async change(name: string, ips: Addresses, policy: PolicyWords): Promise<void> {
    await this.inside({ do: 'change', xml: this.xml(name, ips, policy) });
  }

  /** What `hnet move` does where both run. @param ips all that the taker has afterwards */
  async move(prefix: string, from: string, to: string, ips: Addresses, policy: PolicyWords): Promise<void> {
    await this.inside({ do: 'move', prefix, from: uuidOf(from), xml: this.xml(to, ips, policy) });
  }

  total(ip: string): Promise<Total> {
    return this.inside({ do: 'total', ip, backend: this.firewall.name });
  }

  xml(name: string, ips: Addresses, words: PolicyWords): string {
    const { default: inbound = 'allow', isolate = false, rules = [] } = words;
    this.#policies.set(name, { inbound, isolate, rules: rules.map(parseRule) });
    return domainXml(name, { metadata: toMetadata(name, ips, words) });
  }

  /** Has hnet's own code do something in this host; see inside.ts. */
  async inside<T>(request: Request): Promise<T> {
    const path = '/run/lab/inside.cjs';
    this.#inside ??= this.host.write(path, await bundle());
    await this.#inside;
    return JSON.parse(await this.host.run([...NODE, path], { input: JSON.stringify(request) }));
  }

  look(kind: keyof Firewall['looks'] = 'all'): Promise<FilterView> {
    return lookInside(this.host, this.firewall.looks[kind]);
  }

  /** How many packets have been dropped so far, for one cause; those by rules of domains are added up. */
  async drops(cause: Cause): Promise<number> {
    const view = await this.look('brief');
    if (cause === 'policy') return this.#policyDrops(view);
    return sum([
      ...this.firewall.families.map(family => this.#familyDrops(cause, family, view)),
      await this.#budgetDrops(cause),
    ]);
  }

  #familyDrops(cause: Cause, family: Family, view: FilterView): number {
    const { raw, mangle } = ruleset(
      family,
      parseConfig(this.#config),
      [UPLINK],
      this.firewall.foresight,
    ).chains;
    const chains = [
      ...raw.map(chain => ['raw', chain] as const),
      ...mangle.map(chain => ['mangle', chain] as const),
    ];
    return Number(dropsByCause(chains, family, this.firewall, view).get(CAUSES[cause])?.packets ?? 0n);
  }

  async #budgetDrops(cause: Cause): Promise<number> {
    const budgets = readBudgets(await this.host.run(RULESET));
    const drops = dropsOfBudgets(parseConfig(this.#config), { budgets });
    return Number(drops.get(CAUSES[cause])?.packets ?? 0n);
  }

  /** Does something that must be dropped for a cause, and waits until it is. @returns packets dropped */
  async dropped(cause: Cause, attack: () => void): Promise<number> {
    const before = await this.drops(cause);
    attack();
    const since = async (): Promise<number> => (await this.drops(cause)) - before;
    return until(since, PATIENCE, `a drop for "${CAUSES[cause]}"`);
  }

  #policyDrops(view: FilterView): number {
    const drops = [...this.#policies].flatMap(([name, policy]) =>
      this.firewall.families.flatMap(family =>
        policyChains(uuidOf(name), policy, family)
          .flatMap(chain => countedRules('mangle', chain, family, this.firewall, view) ?? [])
          .flatMap(({ rule, counter }) => (rule.verdict.do === 'drop' ? [Number(counter.packets)] : [])),
      ),
    );
    return sum(drops);
  }

  /** A guest's end of its cable, and the gateway's end of the host's. */
  guestWire(guest: Guest, ips: Addresses): Promise<Wire> {
    return Wire.open(guest, 'eth0', bridgeMac(parsePrefix(scopeOf(firstOf(ips)))));
  }

  providerWire(): Promise<Wire> {
    return Wire.open(this.lab.gateway, this.host.name, this.host.site.mac);
  }

  /** The Internet host's end of its cable to the gateway. */
  async internetWire(): Promise<Wire> {
    const mac = await this.lab.gateway.read('/sys/class/net/inet/address');
    return Wire.open(this.lab.internet, 'eth0', mac.trim());
  }

  remove(): Promise<void> {
    return this.scene.remove();
  }
}

/** The article's scope for an address. */
export const scopeOf = (ip: string): string => format(articleScope(parsePrefix(ip)));
/** An address of that scope. */
export const inScope = (ip: string, last: number): string => `172.30.${ip.split('.').at(-1)}.${last}`;

/** The assignment in a domain's metadata, as `hnet assign` and `hnet firewall` write it. */
export function toMetadata(name: string, ips: Addresses, words: PolicyWords): string {
  const { default: inbound = 'allow', isolate = false, rules = [] } = words;
  const [bridge, scope] = [bridgeOf(firstOf(ips)), scopeOf(firstOf(ips))];
  const addresses = listed(ips).map(ip => `<h:address ip="${ip}" bridge="${bridge}" scope="${scope}"/>`);
  const lines = rules.map(rule => `<h:rule>${escapeXml(rule)}</h:rule>`).join('');
  const policy = `<h:policy inbound="${inbound}" isolate="${isolate ? 'on' : 'off'}">${lines}</h:policy>`;
  const attributes = `xmlns:h="urn:hnet:1" domain="${uuidOf(name)}"`;
  return `<h:assignment ${attributes}>${addresses.join('')}${policy}</h:assignment>`;
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

async function lookInside(machine: Machine, { commands, parse }: Look): Promise<FilterView> {
  const outputs = await Promise.all(
    commands.map(({ argv, stdin }) => machine.attempt(argv, stdin === undefined ? {} : { input: stdin })),
  );
  return parse(outputs.map(({ code, stdout }) => (code === 0 ? stdout : '')));
}

let bundled: Promise<string> | undefined;

function bundle(): Promise<string> {
  bundled ??= build({
    entryPoints: [`${PROJECT}/test/support/inside.ts`],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['koffi'],
    write: false,
    logLevel: 'error',
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '');
  return bundled;
}
