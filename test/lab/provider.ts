import { hold, makeNetns } from './hold.ts';
import { Machine } from './machine.ts';
import { attempt, run } from './run.ts';
import { GATEWAY, GATEWAY6, INTERNET, INTERNET6, isIpv6, type Site } from './site.ts';
import { PATIENCE, until } from './wait.ts';

/** Where the Internet reaches the gateway. */
const EDGE = '123.45.200.1';
const EDGE6 = '2001:db8:ffff::1';

/** The provider's network: the gateway of all hosts and one host far away. */
export class Provider {
  readonly gateway: Machine;
  readonly internet: Machine;

  private constructor(gateway: Machine, internet: Machine) {
    this.gateway = gateway;
    this.internet = internet;
  }

  static async create(dir: string): Promise<Provider> {
    const [gateway, internet] = await Promise.all([providerMachine(dir, 'gw'), providerMachine(dir, 'inet')]);
    // Ends with one index in their namespaces learn of each other's carrier up to a second later (linkwatch).
    await ip(gateway.netns, [`link add inet index 100 type veth peer name eth0 netns ${internet.netns}`]);
    await Promise.all([setUpGateway(gateway), setUpInternet(internet)]);
    await Promise.all([carrier(gateway.netns, 'inet'), carrier(internet.netns, 'eth0')]);
    return new Provider(gateway, internet);
  }

  /** Lays the cable to a host whose namespace exists, configures both its ends, and routes the pools to it. */
  async connect(site: Site, netns: string): Promise<void> {
    await ip(this.gateway.netns, [
      `link add ${site.name} type veth peer name eth0 address ${site.mac} netns ${netns}`,
      `addr add ${GATEWAY} peer ${site.address} dev ${site.name}`,
      `addr add ${GATEWAY6}/64 dev ${site.name} nodad`,
      `link set ${site.name} addrgenmode none up`,
      `route replace ${site.address6}/128 dev ${site.name}`,
      ...site.pools.map(pool => routeTo(pool, site)),
    ]);
    await configureUplink(site, netns);
    await Promise.all([carrier(this.gateway.netns, site.name), carrier(netns, 'eth0')]);
  }

  /**
   * Pulls the cable, and with it go the routes. It may be gone already: a namespace that ends takes its devices along,
   * but in its own time.
   */
  async disconnect(site: Site): Promise<void> {
    const argv = ['nsenter', `--net=${this.gateway.netns}`, 'ip', 'link', 'del', site.name];
    const { code, stderr } = await attempt(argv);
    if (code !== 0 && !/Cannot find device|No such device/.test(stderr)) throw new Error(stderr);
  }

  async route(pool: string, site: Site): Promise<void> {
    await ip(this.gateway.netns, [routeTo(pool, site)]);
  }
}

/** Without duplicate address detection, whose tentative link-local addresses would hold up the first packets. */
async function providerMachine(dir: string, name: string): Promise<Machine> {
  const netns = await makeNetns(dir, name);
  const machine = new Machine(name, netns, await hold(dir, name, netns));
  await machine.run(['sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0']);
  return machine;
}

/** One `ip` for many commands: a thousand routes cost as much as one. */
export async function ip(netns: string, commands: readonly string[]): Promise<void> {
  await run(['nsenter', `--net=${netns}`, 'ip', '-batch', '-'], { input: commands.join('\n') });
}

/** Until the kernel has noticed that both ends of a cable are up, IPv6 addresses on it do nothing. */
export async function carrier(netns: string, device: string): Promise<void> {
  const show = ['nsenter', `--net=${netns}`, 'ip', '-o', 'link', 'show', 'dev', device];
  await until(
    async () => (await run(show)).includes(' state UP '),
    PATIENCE,
    `carrier on ${device} in ${netns}`,
  );
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
  return `route replace ${pool} ${via}dev ${site.name}`;
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
