import { expect } from 'chai';
import type { ConfigFile } from '../../src/guest/file.ts';
import { guestNetwork, type StaticNetwork } from '../../src/guest/network.ts';
import { parsePrefix } from '../../src/model/address.ts';
import type { Domain } from '../../src/model/domain.ts';
import type { Background } from '../lab/background.ts';
import { ip } from '../lab/cable.ts';
import type { Guest } from '../lab/guest.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import type { Machine } from '../lab/machine.ts';
import { INTERNET, INTERNET6, isIpv6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { equip, fetchTools } from './toolbox.ts';

/** Bridge → what is routed to it, and the MAC of the machine's interface on it. */
export const BRIDGES = {
  br116: { mac: '52:54:00:00:01:16', prefixes: ['123.45.90.116/31', '2001:db8:12:48::116'] },
  br118: { mac: '52:54:00:00:01:18', prefixes: ['123.45.90.118', '2001:db8:12:4900:1::/80'] },
} as const;
type Bridge = keyof typeof BRIDGES;

/** Every address that a machine with both interfaces has at the end. */
export const ADDRESSES = [
  '123.45.90.116',
  '123.45.90.117',
  '2001:db8:12:48::116',
  '123.45.90.118',
  '2001:db8:12:4900:1::1',
];

/** What hnet makes of a domain with interfaces on these bridges. */
export function networkOn(bridges: readonly Bridge[], family?: 4 | 6): StaticNetwork {
  const scope = parsePrefix('172.30.116.0/24');
  const element = { name: 'interface', namespace: '', attributes: new Map(), children: [] };
  const domain: Domain = {
    uuid: 'c64804ab-817f-4cb6-af52-3d0ee8b51463',
    name: 'Web 1',
    nics: bridges.map(source => ({
      mac: BRIDGES[source].mac,
      type: 'bridge',
      source,
      tap: undefined,
      isOff: false,
      element,
    })),
    intent: { kind: 'none' },
  };
  const assigned = bridges.flatMap(bridge =>
    BRIDGES[bridge].prefixes.map(text => ({ prefix: parsePrefix(text), bridge, scope })),
  );
  return guestNetwork(
    domain,
    assigned.filter(({ prefix }) => family === undefined || prefix.family === family),
    { gateway: parsePrefix('123.45.12.48'), mtuFor: () => MTU },
    { dns: ['9.9.9.9', '2620:fe::fe'].map(parsePrefix), domain: 'lan' },
  );
}

/** What the bridges have: every system is told so, and sets it. */
const MTU = 1400;

/** Only what is routed to a bridge may come out of it, as hnet's own filter has it. */
const bridgeScript = (bridge: Bridge, octet: string): string => `
  ip link add ${bridge} type bridge forward_delay 0 stp_state 0
  ip addr add 172.30.${octet}.1/24 dev ${bridge}
  ip link set ${bridge} addrgenmode none up
  ip addr add fe80::1/64 dev ${bridge} nodad
  sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  ${BRIDGES[bridge].prefixes
    .map(
      prefix =>
        `ip route add ${prefix} dev ${bridge}; ${tables(prefix)} -A FORWARD -i ${bridge} -s ${prefix} -j ACCEPT`,
    )
    .join('\n  ')}
  iptables -A FORWARD -i ${bridge} -j DROP
  ip6tables -A FORWARD -i ${bridge} -j DROP`;

const tables = (prefix: string): string => (isIpv6(prefix) ? 'ip6tables' : 'iptables');

/** A host with two bridges, and a machine on both that has the real programs and no configuration yet. */
export class Wire {
  readonly lab: Lab;
  readonly #host: Host;
  #machines = 0;

  private constructor(lab: Lab, host: Host) {
    this.lab = lab;
    this.#host = host;
  }

  static async create(): Promise<Wire> {
    await fetchTools();
    const lab = await Lab.create();
    const host = await lab.host('h1');
    for (const bridge of ['br116', 'br118'] as const) await host.sh(bridgeScript(bridge, bridge.slice(2)));
    return new Wire(lab, host);
  }

  /** A new machine with `eth0` on br116 and `eth1` on br118, in place of the one before. */
  async machine(): Promise<Guest> {
    const old = `vm${this.#machines}`;
    this.#machines += 1;
    const name = `vm${this.#machines}`;
    if (this.#machines > 1) await ip(this.#host.netns, [`link del ${old}`, `link del ${old}b`]);
    const machine = await this.#host.guest({ name, bridge: 'br116', mac: BRIDGES.br116.mac });
    await ip(this.#host.netns, [
      `link add ${name}b type veth peer name eth1 address ${BRIDGES.br118.mac} netns ${machine.netns}`,
      `link set ${name}b master br118 addrgenmode none up`,
    ]);
    await machine.sh('sysctl -qw net.ipv6.conf.eth1.accept_dad=0; ip link set eth0 down');
    await equip(machine);
    return machine;
  }

  /** The machine has these addresses, reaches the Internet from each of them and is reached at each of them. */
  async proves(machine: Guest, addresses: readonly string[], mtu = MTU): Promise<void> {
    for (const address of addresses) {
      const far = isIpv6(address) ? INTERNET6 : INTERNET;
      await until(() => machine.ping(far, address), PATIENCE, `a ping from ${address} to ${far}`);
      expect(await this.lab.internet.ping(address), `ping ${address} from the Internet`).to.equal(true);
    }
    expect(await addressesOf(machine)).to.have.members([...addresses]);
    expect(Number(await machine.read('/sys/class/net/eth0/mtu'))).to.equal(mtu);
  }
}

/** The global addresses that a machine has. */
export async function addressesOf(machine: Guest): Promise<string[]> {
  const shown = await machine.run(['ip', '-o', 'address', 'show', 'scope', 'global']);
  return [...shown.matchAll(/inet6? ([0-9a-f.:]+)/g)].map(([, address = '']) => address);
}

/** Puts generated files where they belong, as their user would. */
export async function install(machine: Guest, files: readonly ConfigFile[]): Promise<void> {
  for (const { path, text } of files) {
    if (!path.startsWith('/etc/resolv.conf')) await machine.write(path, text);
    if (path.includes('NetworkManager') || path.includes('netplan'))
      await machine.run(['chmod', '600', path]);
  }
}

/** networkd as it runs in a container: without udev, which it expects only where /sys can be written. */
export async function startNetworkd(machine: Machine): Promise<Background[]> {
  const bus = await startBus(machine);
  await machine.sh(`
    mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
    chown -R systemd-network:systemd-network /run/systemd/netif`);
  return [machine.start(['/usr/lib/systemd/systemd-networkd']), bus];
}

/** netplan's own output, for networkd. A veth has no permanent address, which a VM's interface has. */
export async function applyNetplan(machine: Machine): Promise<Background[]> {
  await machine.run(['netplan', 'generate']);
  await machine.sh(`
    sed -i s/PermanentMACAddress/MACAddress/ /run/systemd/network/*.network
    chmod 644 /run/systemd/network/*`);
  return startNetworkd(machine);
}

export async function startNetworkManager(machine: Machine): Promise<Background[]> {
  const bus = await startBus(machine);
  return [machine.start(['NetworkManager', '--debug']), bus];
}

/** A system bus of the machine's own. */
async function startBus(machine: Machine): Promise<Background> {
  await machine.sh('mount -o remount,ro,bind /sys; mkdir -p /run/dbus');
  const bus = machine.start(['dbus-daemon', '--system', '--nofork', '--nopidfile']);
  const there = () => machine.attempt(['test', '-S', '/run/dbus/system_bus_socket']);
  await until(async () => (await there()).code === 0, PATIENCE, 'a bus');
  return bus;
}
