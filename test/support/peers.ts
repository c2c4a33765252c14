/** Two hosts of a cluster that share their pools, and a wire between them. Routes that BIRD would carry are set by hand. */

import { carrier, ip } from '../lab/cable.ts';
import type { Guest } from '../lab/guest.ts';
import type { Host } from '../lab/host.ts';
import type { Lab } from '../lab/lab.ts';
import { isIpv6 } from '../lab/site.ts';
import {
  type Addresses,
  type Backend,
  Filtered,
  type FilteredOptions,
  type PolicyWords,
} from './filtered.ts';
import { POOLS6 } from './scene.ts';

export const WIRE = 'wire';

/** Where a host's BIRD has its configuration, as Debian's has. */
export const BIRD_CONF = '/etc/bird/bird.conf';

/** Starts BIRD by what is written there; `birdc` finds it. */
export const startBird = (host: Host): Promise<string> =>
  host.sh(`mkdir -p /run/bird; bird -c ${BIRD_CONF} -s /run/bird/bird.ctl -P /run/bird/bird.pid`);

/** What they call each other there: h1 is 10.9.0.1. */
export const onWire = (number: number, family: 4 | 6 = 4): string =>
  family === 4 ? `10.9.0.${number}` : `fd00:9::${number}`;

const CLUSTER = `[cluster]
name = "lab"
interface = "${WIRE}"
etcd = ["http://${onWire(1)}:2379"]
announce = "bgp"`;

/** The gateway has a switch between them: so each end is there before the other host is. */
const SWITCH = 'between';

async function plug(lab: Lab, number: number, host: Host): Promise<void> {
  await ip(lab.gateway.netns, [
    `link add port${number} type veth peer name ${WIRE} netns ${host.netns}`,
    `link set port${number} addrgenmode none master ${SWITCH} up`,
  ]);
  await host.sh(`sysctl -qw net.ipv6.conf.${WIRE}.accept_dad=0 net.ipv6.conf.${WIRE}.accept_ra=0
    ip addr add ${onWire(number)}/24 dev ${WIRE}
    ip addr add ${onWire(number, 6)}/64 dev ${WIRE} nodad
    ip link set ${WIRE} up`);
  await carrier(host.netns, WIRE);
}

/** The provider routes all pools to h1. */
export class Peers {
  readonly h1: Filtered;
  readonly h2: Filtered;

  private constructor(h1: Filtered, h2: Filtered) {
    this.h1 = h1;
    this.h2 = h2;
  }

  /** @param given a script for each of them, before its base is set up */
  static async create(
    lab: Lab,
    backend: Backend,
    options: Omit<FilteredOptions, 'name' | 'tables' | 'given'> & { readonly given?: string } = {},
  ): Promise<Peers> {
    await lab.gateway.sh(`ip link add ${SWITCH} type bridge forward_delay 0 mcast_snooping 0
      ip link set ${SWITCH} addrgenmode none up`);
    const [h1, h2] = await Promise.all(
      ([1, 2] as const).map(number =>
        Filtered.create(lab, backend, {
          pools: POOLS6,
          routed: number === 1 ? POOLS6 : [],
          ...options,
          name: `h${number}`,
          tables: `${CLUSTER}\nhost = "h${number}"`,
          given: async host => {
            await plug(lab, number, host);
            await host.sh(options.given ?? '');
          },
        }),
      ),
    );
    if (h1 === undefined || h2 === undefined) throw new Error('two hosts were made');
    return new Peers(h1, h2);
  }

  /** A domain on one of them, to which the other one's routes lead by the wire. */
  async start(at: 1 | 2, name: string, ips: Addresses, policy: PolicyWords = {}): Promise<Guest> {
    const [here, there] = at === 1 ? [this.h1, this.h2] : [this.h2, this.h1];
    const guest = await here.start(name, ips, policy);
    for (const address of [ips].flat()) await routeTo(there, address, at);
    return guest;
  }
}

/** As BIRD's protocol of the kernel does, with a metric of 150. */
const routeTo = ({ host }: Filtered, address: string, at: number): Promise<string> =>
  host.run([
    ...['ip', 'route', 'replace', address, 'via', onWire(at, isIpv6(address) ? 6 : 4)],
    ...['dev', WIRE, 'metric', '150', 'proto', 'bird'],
  ]);

/** What the daemon notes of a host. */
export const peerNote = (number: number, uplinks: readonly string[]) => ({
  host: `h${number}`,
  wire: [onWire(number), onWire(number, 6)],
  uplinks,
  uuid: null,
  version: '0.3.0',
  filter: '',
  pools: '',
  scopes: '',
  seen: '2026-11-28T21:00:00.000Z',
  isUp: true,
});

export const knowPeers = ({ host }: Pick<Filtered, 'host'>, peers: readonly object[]): Promise<void> =>
  host.write('/run/hnet/cluster/peers.json', JSON.stringify({ version: 1, peers }));

/** What the daemons of both note of each other. */
export async function knowEachOther({ h1, h2 }: Peers): Promise<void> {
  const notes = [h1, h2].map(({ host }, place) => peerNote(place + 1, [host.address, host.address6]));
  for (const one of [h1, h2]) await knowPeers(one, notes);
}
