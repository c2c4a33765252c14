import { carrier, ip, pull } from './cable.ts';
import { hold, makeNetns } from './hold.ts';
import { Machine } from './machine.ts';
import { run } from './run.ts';
import { GATEWAY, GATEWAY6, INTERNET, INTERNET6, isIpv6, SHARED, type Site, type WireEnd } from './site.ts';
import { Switch } from './switch.ts';

/** Where the Internet reaches the gateway. */
const EDGE = '123.45.200.1';
const EDGE6 = '2001:db8:ffff::1';

/** The provider's network: the gateway of all hosts and one host far away. */
export class Provider {
  readonly gateway: Machine;
  readonly internet: Machine;
  readonly #dir: string;
  #switch: Promise<Switch> | undefined;
  #shared: Promise<void> | undefined;

  private constructor(dir: string, gateway: Machine, internet: Machine) {
    this.#dir = dir;
    this.gateway = gateway;
    this.internet = internet;
  }

  static async create(dir: string): Promise<Provider> {
    const [gateway, internet] = await Promise.all([providerMachine(dir, 'gw'), providerMachine(dir, 'inet')]);
    // Ends with one index in their namespaces learn of each other's carrier up to a second later (linkwatch).
    await ip(gateway.netns, [`link add inet index 100 type veth peer name eth0 netns ${internet.netns}`]);
    await Promise.all([setUpGateway(gateway), setUpInternet(internet)]);
    await Promise.all([carrier(gateway.netns, 'inet'), carrier(internet.netns, 'eth0')]);
    return new Provider(dir, gateway, internet);
  }

  /** Lays the cables to a host whose namespace exists, configures their ends, and routes the pools to it. */
  async connect(site: Site, netns: string): Promise<void> {
    await this.#layUplink(site, netns);
    await ip(this.gateway.netns, [
      ...(site.downlink === SHARED ? [] : ownDownlink(site)),
      `route replace ${site.address6}/128 dev ${site.downlink}`,
      ...site.pools.map(pool => routeTo(pool, site)),
    ]);
    await configureUplink(site, netns);
    await Promise.all([carrier(this.gateway.netns, site.downlink), carrier(netns, 'eth0')]);
    if (site.wire !== undefined) await this.wire(site.name, site.wire, netns, 'eth1');
  }

  /** Connects a machine to the wire between hosts, and waits until it carries. */
  async wire(name: string, end: WireEnd, netns: string, device: string): Promise<void> {
    const wires = await this.switch();
    await wires.lay('wire', PORTS.wire(name), { netns, device, mac: end.mac });
    await run(['nsenter', `--net=${netns}`, 'sysctl', '-qw', `net.ipv6.conf.${device}.accept_dad=0`]);
    await ip(netns, [
      `addr add ${end.address}/24 dev ${device}`,
      `addr add ${end.address6}/64 dev ${device} nodad`,
      `link set ${device} up`,
    ]);
    await Promise.all([carrier(netns, device), wires.carries(PORTS.wire(name))]);
  }

  /** A machine of namespaces only, with nothing but the wire, which is its `eth0`. */
  async wiredMachine(name: string, end: WireEnd): Promise<Machine> {
    const machine = await providerMachine(this.#dir, name);
    await this.wire(name, end, machine.netns, 'eth0');
    return machine;
  }

  /** The switch that wired hosts are on; made when it is first asked for. */
  switch(): Promise<Switch> {
    this.#switch ??= Switch.create(this.#dir);
    return this.#switch;
  }

  /** Pulls the cables, and with them go the routes. */
  async disconnect(site: Site): Promise<void> {
    if (site.downlink !== SHARED) await pull(this.gateway.netns, site.downlink);
    if (site.wire === undefined) return;
    const wires = await this.switch();
    for (const cable of CABLES) await wires.pull(PORTS[cable](site.name));
  }

  /** From now on these cables of a wired machine carry nothing, and nobody notices but by the silence. */
  async cut(name: string, cables: readonly Cable[] = CABLES): Promise<void> {
    const wires = await this.switch();
    for (const cable of cables) await wires.cut(PORTS[cable](name));
  }

  async mend(name: string, cables: readonly Cable[] = CABLES): Promise<void> {
    const wires = await this.switch();
    for (const cable of cables) await wires.mend(PORTS[cable](name));
  }

  async route(pool: string, site: Site): Promise<void> {
    await ip(this.gateway.netns, [routeTo(pool, site)]);
  }

  /** A wired host's uplink passes the switch, where it can be cut. */
  async #layUplink({ name, mac, wire, downlink }: Site, netns: string): Promise<void> {
    const { netns: gateway } = this.gateway;
    if (wire === undefined) {
      await ip(gateway, [`link add ${name} type veth peer name eth0 address ${mac} netns ${netns}`]);
      return;
    }
    const wires = await this.switch();
    const network = downlink === SHARED ? SHARED : `up-${name}`;
    if (downlink === SHARED) await this.#share(wires);
    else await wires.lay(network, `${name}-gw`, { netns: gateway, device: name });
    await wires.lay(network, PORTS.uplink(name), { netns, device: 'eth0', mac });
  }

  /** The gateway's port on the layer 2 that uplinks share; it is there once it's first needed. */
  #share(wires: Switch): Promise<void> {
    this.#shared ??= (async () => {
      await wires.lay(SHARED, 'gw', { netns: this.gateway.netns, device: SHARED });
      await ip(this.gateway.netns, [
        `addr add ${GATEWAY}/24 dev ${SHARED}`,
        `addr add ${GATEWAY6}/64 dev ${SHARED} nodad`,
        `link set ${SHARED} addrgenmode none up`,
      ]);
    })();
    return this.#shared;
  }
}

/** A cable of the host's own: its end at the gateway. */
const ownDownlink = ({ name, address }: Site): string[] => [
  `addr add ${GATEWAY} peer ${address} dev ${name}`,
  `addr add ${GATEWAY6}/64 dev ${name} nodad`,
  `link set ${name} addrgenmode none up`,
];

/** A wired host's: to the provider, and to the other hosts. */
export type Cable = 'uplink' | 'wire';
const CABLES = ['uplink', 'wire'] as const;

/** What the switch calls the ports that a wired host is on. */
const PORTS: Readonly<Record<Cable, (name: string) => string>> = {
  uplink: name => `${name}-up`,
  wire: name => `${name}-wire`,
};

/** Without duplicate address detection, whose tentative link-local addresses would hold up the first packets. */
async function providerMachine(dir: string, name: string): Promise<Machine> {
  const netns = await makeNetns(dir, name);
  const machine = new Machine(name, netns, await hold(dir, name, netns));
  await machine.run(['sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0']);
  return machine;
}

async function setUpGateway(gateway: Machine): Promise<void> {
  await ip(gateway.netns, [
    `addr add ${EDGE}/24 dev inet`,
    `addr add ${EDGE6}/64 dev inet nodad`,
    'link set inet up',
  ]);
  await gateway.sh(
    'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0',
  );
}

async function setUpInternet(internet: Machine): Promise<void> {
  await ip(internet.netns, [
    `addr add ${INTERNET}/24 dev eth0`,
    `addr add ${INTERNET6}/64 dev eth0 nodad`,
    'link set eth0 up',
    `route add default via ${EDGE}`,
    `route add default via ${EDGE6}`,
  ]);
}

function routeTo(pool: string, site: Site): string {
  const six = isIpv6(pool);
  const via = (six ? site.ipv6 : site.ipv4) === 'routed' ? `via ${six ? site.linkLocal : site.address} ` : '';
  return `route replace ${pool} ${via}dev ${site.downlink}`;
}

/** The host's end. No duplicate address detection there, or everything would wait two seconds for it. */
async function configureUplink(site: Site, netns: string): Promise<void> {
  const quiet = 'net.ipv4.ip_forward=0 net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.accept_ra=0';
  await run(['nsenter', `--net=${netns}`, 'sysctl', '-qw', ...quiet.split(' ')]);
  const peer = site.addressing === 'pointopoint' ? `peer ${GATEWAY}` : '';
  await ip(netns, [
    `addr add ${site.address} ${peer} dev eth0`,
    `addr add ${site.address6}/${site.ipv6 === 'on-link' ? 64 : 128} dev eth0 nodad`,
    'link set eth0 up',
    `route add default via ${GATEWAY} dev eth0 onlink`,
    `route add default via ${GATEWAY6} dev eth0`,
  ]);
}
