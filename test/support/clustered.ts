/** Several hosts of the lab that share an etcd, without libvirt: veth guests stand in for VMs, and a virsh that keeps metadata. */
import { Etcd } from '../lab/cluster/etcd.ts';
import type { Host } from '../lab/host.ts';
import type { Lab } from '../lab/lab.ts';
import type { Outcome } from '../lab/run.ts';
import { hnet, ok } from './command.ts';
import { uuidOf } from './domain.ts';
import { FakeLibvirt } from './libvirt.ts';
import { POOLS6, Scene } from './scene.ts';

/** A host of the cluster, and the libvirt that it would have. */
export class Member {
  readonly scene: Scene;
  readonly libvirt: FakeLibvirt;

  constructor(scene: Scene, libvirt: FakeLibvirt) {
    this.scene = scene;
    this.libvirt = libvirt;
  }

  /** Runs hnet, whatever comes of it. */
  hnet = (...argv: readonly string[]): Promise<Outcome> => hnet(this.scene, ...argv);

  /** Runs hnet, which must succeed. */
  ok = (...argv: readonly string[]): Promise<string[]> => ok(this.scene, ...argv);

  /** Gives a domain that is defined here an address, and leaves its interfaces alone. */
  assign = (name: string, ...addresses: readonly string[]): Promise<Outcome> =>
    this.hnet('assign', name, ...addresses, '--no-nic');

  /** A start by what is defined here. */
  async prepare(name: string): Promise<Outcome> {
    return this.scene.hook('prepare', name, await this.libvirt.xml(name));
  }

  async release(name: string): Promise<Outcome> {
    return this.scene.hook('release', name, await this.libvirt.xml(name));
  }

  /** What refuses a start, without what libvirt adds. */
  async refusal(name: string): Promise<string> {
    const { code, stderr } = await this.prepare(name);
    if (code === 0) throw new Error(`the start of ${name} wasn't refused`);
    return stderr.trim();
  }
}

export interface ClusteredOptions {
  readonly hosts?: number;
  readonly etcds?: number;
  /** More of the table [cluster]. */
  readonly toml?: string;
}

/** Hosts h1, h2 … and etcds on h11, h12 …, all on the provider's wire. */
export class Clustered {
  readonly members: readonly Member[];
  readonly etcd: Etcd;
  readonly #machines: readonly Host[];

  private constructor(members: readonly Member[], etcd: Etcd, machines: readonly Host[]) {
    this.members = members;
    this.etcd = etcd;
    this.#machines = machines;
  }

  static async create(
    lab: Lab,
    { hosts = 2, etcds = 1, toml = '' }: ClusteredOptions = {},
  ): Promise<Clustered> {
    const machines = await Promise.all(
      numbers(etcds).map(number => lab.host(`h${10 + number}`, { pools: [] })),
    );
    const etcd = await Etcd.create(
      machines.map(machine => ({ machine, wire: { address: machine.address, address6: '', mac: '' } })),
    );
    const members = await Promise.all(
      numbers(hosts).map(async number => {
        const config = clusterToml(etcd.endpoints, `host = "h${number}"\n${toml}`);
        const scene = await Scene.create(lab, {
          name: `h${number}`,
          config,
          pools: number === 1 ? POOLS6 : [],
        });
        return new Member(scene, await FakeLibvirt.create(scene));
      }),
    );
    return new Clustered(members, etcd, machines);
  }

  /** The host of a name. */
  member(number: number): Member {
    const found = this.members[number - 1];
    if (found === undefined) throw new Error(`there is no h${number}`);
    return found;
  }

  /** All hosts join. */
  async join(): Promise<void> {
    for (const member of this.members) await member.ok('cluster', 'join');
  }

  /** What etcd has at a key, or nothing. */
  async value(key: string): Promise<string> {
    return (await this.etcd.ctl('get', '--print-value-only', `/hnet/fra/${key}`)).trim();
  }

  /** The keys below a part of the cluster's. */
  async keys(part: string): Promise<string[]> {
    const printed = await this.etcd.ctl('get', '--prefix', '--keys-only', `/hnet/fra/${part}`);
    return printed.split('\n').flatMap(line => line.trim().replace(`/hnet/fra/${part}`, '') || []);
  }

  /** On which host etcd has a domain running. */
  async runsOn(name: string): Promise<string | undefined> {
    const value = await this.value(`runs/${uuidOf(name)}`);
    return value === '' ? undefined : JSON.parse(value).host;
  }

  async remove(): Promise<void> {
    await this.etcd.kill();
    for (const { scene } of this.members) await scene.remove();
    for (const machine of this.#machines) await machine.remove();
  }
}

export const clusterToml = (
  endpoints: readonly string[],
  more: string,
): string => `pools = ${JSON.stringify(POOLS6)}
[cluster]
name = "fra"
interface = "eth0"
etcd = ${JSON.stringify(endpoints)}
announce = "bgp"
${more}
`;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
