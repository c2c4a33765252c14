import { carrier, ip, pull } from './cable.ts';
import { makeNetns } from './hold.ts';

/** One end of a cable in a machine; the other is a port of the switch. */
export interface Plug {
  readonly netns: string;
  readonly device: string;
  readonly mac?: string;
}

/**
 * A switch between machines, in a namespace of its own: layer 2 networks with ports. A port can be made to carry nothing
 * while both ends of the cable still see a carrier, as when the machine behind it hangs.
 */
export class Switch {
  readonly #netns: string;
  readonly #networks = new Map<string, Promise<void>>();
  /** The network of each port that was ever laid. */
  readonly #ports = new Map<string, string>();

  private constructor(netns: string) {
    this.#netns = netns;
  }

  static async create(dir: string): Promise<Switch> {
    return new Switch(await makeNetns(dir, 'switch'));
  }

  /** Lays a cable from a new port of a network, which is made with its first port. The plug isn't up yet. */
  async lay(network: string, port: string, { netns, device, mac }: Plug): Promise<void> {
    const made = this.#networks.get(network) ?? this.#makeNetwork(network);
    this.#networks.set(network, made);
    await made;
    this.#ports.set(port, network);
    const address = mac === undefined ? '' : `address ${mac} `;
    await ip(this.#netns, [
      `link add ${port} type veth peer name ${device} ${address}netns ${netns}`,
      `link set ${port} addrgenmode none master ${network} up`,
    ]);
  }

  /** Waits until a cable's far end, which is up by now, has a carrier, and so has the port. */
  async carries(port: string): Promise<void> {
    await carrier(this.#netns, port);
  }

  async pull(port: string): Promise<void> {
    await pull(this.#netns, port);
  }

  /** From now on the port is on no network: it neither forwards nor receives. Nobody is told. */
  async cut(port: string): Promise<void> {
    await ip(this.#netns, [`link set ${port} nomaster`]);
  }

  async mend(port: string): Promise<void> {
    await ip(this.#netns, [`link set ${port} master ${this.#ports.get(port)}`]);
  }

  async #makeNetwork(network: string): Promise<void> {
    // Without snooping, which would hold up neighbour discovery until somebody asks who listens.
    await ip(this.#netns, [
      `link add ${network} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`,
      `link set ${network} addrgenmode none up`,
    ]);
  }
}
