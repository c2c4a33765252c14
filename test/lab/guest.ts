import { readFileSync } from 'node:fs';
import { carrier, ip } from './cable.ts';
import { hold, makeNetns } from './hold.ts';
import { Machine } from './machine.ts';
import { isIpv6 } from './site.ts';

export interface GuestOptions {
  readonly name: string;
  /** The bridge it is plugged into; without one it hangs in the air until `plug`. */
  readonly bridge?: string;
  readonly mac?: string;
}

type LeaseWord =
  | 'ip'
  | 'mask'
  | 'router'
  | 'dns'
  | 'domain'
  | 'hostname'
  | 'lease'
  | 'serverid'
  | 'staticroutes'
  | 'mtu'
  | 'ntpsrv'
  | 'siaddr'
  | 'boot_file';

/** What a DHCP lease said, by udhcpc's own names; empty where it said nothing. */
export type Lease = Readonly<Record<LeaseWord, string>>;

const SCRIPT = readFileSync(new URL('udhcpc.sh', import.meta.url), 'utf8');

const UDHCPC = '-f -q -n -t60 -T1 -i eth0 -O 121 -O mtu -O ntpsrv -s /run/udhcpc.sh'.split(' ');

/**
 * A stand-in for a VM: namespaces of its own, whose `eth0` is one end of a veth and whose other end, named as the
 * guest, is a port of the bridge. Real DHCP clients can run in it.
 */
export class Guest extends Machine {
  readonly mac: string;
  /** The port's name in the host. */
  readonly port: string;
  readonly #host: Machine;

  private constructor(host: Machine, port: string, netns: string, leader: number, mac: string) {
    super(port, netns, leader);
    this.#host = host;
    this.port = port;
    this.mac = mac;
  }

  static async create(dir: string, host: Machine, number: number, options: GuestOptions): Promise<Guest> {
    const { name } = options;
    const tail = number.toString(16).padStart(4, '0');
    const mac = options.mac ?? `52:54:00:77:${tail.slice(0, 2)}:${tail.slice(2)}`;
    const netns = await makeNetns(dir, `${host.name}.${name}`);
    await ip(host.netns, [
      `link add ${name} type veth peer name eth0 address ${mac} netns ${netns}`,
      `link set ${name} addrgenmode none up`,
    ]);
    const guest = new Guest(host, name, netns, await hold(dir, `${host.name}.${name}`, netns), mac);
    await guest.run(['sysctl', '-qw', 'net.ipv6.conf.eth0.accept_dad=0']);
    await guest.run(['ip', 'link', 'set', 'eth0', 'up']);
    await carrier(netns, 'eth0');
    if (options.bridge !== undefined) await guest.plug(options.bridge);
    return guest;
  }

  async plug(bridge: string): Promise<void> {
    await ip(this.#host.netns, [`link set ${this.port} master ${bridge}`]);
  }

  /** The public address as a /32 (or /128) with a gateway that is on no subnet of ours. */
  async static(address: string, gateway: string): Promise<void> {
    const six = isIpv6(address);
    await ip(this.netns, [
      `addr add ${address}/${six ? 128 : 32} dev eth0${six ? ' nodad' : ''}`,
      ...(gateway.startsWith('fe80:') ? [] : [`route replace ${gateway} dev eth0`]),
      // A router advertisement may have made one already.
      `route replace default via ${gateway} dev eth0`,
    ]);
  }

  /**
   * Asks for a lease once, as a booting machine does, applies it, and tells what it said.
   * @param more further words for udhcpc
   */
  async dhcp(...more: readonly string[]): Promise<Lease> {
    await this.run(['sh', '-c', 'cat >/run/udhcpc.sh && chmod +x /run/udhcpc.sh'], { input: SCRIPT });
    await this.run(['busybox', 'udhcpc', ...UDHCPC, ...more]);
    const said = await this.read('/run/lease.eth0');
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(said)?.[1]?.trim() ?? '';
    return {
      ip: value('ip'),
      mask: value('mask'),
      router: value('router'),
      dns: value('dns'),
      domain: value('domain'),
      hostname: value('hostname'),
      lease: value('lease'),
      serverid: value('serverid'),
      staticroutes: value('staticroutes'),
      mtu: value('mtu'),
      ntpsrv: value('ntpsrv'),
      siaddr: value('siaddr'),
      boot_file: value('boot_file'),
    };
  }

  /** Pulls the cable out: the port is gone from the bridge, and the guest's eth0 with it. */
  async unplug(): Promise<void> {
    await ip(this.#host.netns, [`link del ${this.port}`]);
  }
}
