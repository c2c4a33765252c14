import { type Daemon, together } from '../daemon.ts';
import { Hypervisor } from '../hypervisor.ts';
import type { Machine } from '../machine.ts';
import { Program } from '../program.ts';
import { expectSuccess, type Outcome } from '../run.ts';
import type { WireEnd } from '../site.ts';
import { PATIENCE, until } from '../wait.ts';

/** Where a member of etcd runs: on a hypervisor, or on a machine of its own. */
export interface Place {
  readonly machine: Machine;
  readonly wire: WireEnd;
}

/** One etcd: a service of a hypervisor's systemd, or a process on a machine of its own. */
export interface Member {
  /** That of its machine. */
  readonly name: string;
  readonly machine: Machine;
  readonly endpoint: string;
  readonly daemon: Daemon;
}

/** One to three etcds that are one store, reached over the wire. */
export class Etcd implements Daemon {
  readonly members: readonly Member[];
  readonly #all: Daemon;

  private constructor(members: readonly Member[]) {
    this.members = members;
    this.#all = together(members.map(({ daemon }) => daemon));
  }

  /** Starts them as a new store, and waits until each of them answers. */
  static async create(places: readonly Place[]): Promise<Etcd> {
    const cluster = places.map(({ machine, wire }) => `${machine.name}=http://${wire.address}:2380`);
    const members = places.map(place => memberAt(place, cluster.join(',')));
    const etcd = new Etcd(await Promise.all(members));
    if (places.length > 0) await etcd.start();
    return etcd;
  }

  /** For hnet.toml: `http://10.9.0.101:2379` and so on. */
  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  async start(): Promise<void> {
    await this.#all.start();
    await until(() => this.answers(), PATIENCE, 'etcd to answer');
  }

  stop = (): Promise<void> => this.#all.stop();
  kill = (): Promise<void> => this.#all.kill();
  freeze = (): Promise<void> => this.#all.freeze();
  go = (): Promise<void> => this.#all.go();

  /** Whether every member answers and knows a leader. */
  async answers(): Promise<boolean> {
    return (await this.attempt('endpoint', 'health')).code === 0;
  }

  /** The member that leads; there is one once etcd answers. */
  async leader(): Promise<Member> {
    const status: readonly EndpointStatus[] = JSON.parse(
      await this.ctl('endpoint', 'status', '--write-out=json'),
    );
    const leading = status.find(({ Status }) => Status.header.member_id === Status.leader);
    const member = this.members.find(({ endpoint }) => endpoint === leading?.Endpoint);
    if (member === undefined) throw new Error(`Cannot tell who leads etcd: ${JSON.stringify(status)}`);
    return member;
  }

  /** Runs etcdctl beside the first member, with all of them as endpoints, and gives back what it printed. */
  async ctl(...argv: readonly string[]): Promise<string> {
    return expectSuccess(['etcdctl', ...argv], await this.attempt(...argv));
  }

  attempt(...argv: readonly string[]): Promise<Outcome> {
    const [first] = this.members;
    if (first === undefined) throw new Error('Cannot ask etcd: this cluster has none');
    return first.machine.attempt(['etcdctl', `--endpoints=${this.endpoints.join(',')}`, ...argv]);
  }
}

interface EndpointStatus {
  readonly Endpoint: string;
  readonly Status: { readonly header: { readonly member_id: number }; readonly leader: number };
}

const DATA = '/var/lib/etcd/lab';

async function memberAt({ machine, wire }: Place, cluster: string): Promise<Member> {
  const endpoint = `http://${wire.address}:2379`;
  const peer = `http://${wire.address}:2380`;
  const settings = Object.entries({
    ETCD_NAME: machine.name,
    ETCD_DATA_DIR: DATA,
    ETCD_LISTEN_CLIENT_URLS: endpoint,
    ETCD_ADVERTISE_CLIENT_URLS: endpoint,
    ETCD_LISTEN_PEER_URLS: peer,
    ETCD_INITIAL_ADVERTISE_PEER_URLS: peer,
    ETCD_INITIAL_CLUSTER: cluster,
  }).map(([name, value]) => `${name}=${value}`);
  const named = { name: machine.name, machine, endpoint };
  if (!(machine instanceof Hypervisor))
    return { ...named, daemon: new Program(machine, ['env', ...settings, 'etcd']) };
  await machine.write('/etc/default/etcd', `${settings.join('\n')}\n`);
  // It is back after a reboot, as the host's own.
  await machine.run(['systemctl', '--quiet', 'enable', 'etcd']);
  return { ...named, daemon: machine.unit('etcd') };
}
