/** The provider's side of each kind of server in docs/providers.md, in the lab. */

import { ip } from '../lab/cable.ts';
import { Guest } from '../lab/guest.ts';
import type { Machine } from '../lab/machine.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import type { Scene, SceneOptions } from './scene.ts';

export interface Provider {
  /** What the lab's gateway does by itself. */
  readonly site: Pick<SceneOptions, 'pools' | 'ipv4' | 'ipv6'>;
  /** What else it does. Gives back other machines on the server's wire, which reach VMs too. */
  readonly lay?: (scene: Scene) => Promise<readonly Machine[]>;
  /**
   * A link that this kernel may not be able to make: what ifup has `ip` do for it, and the device that takes its place, which
   * `lay` has made. To hnet it looks the same.
   */
  readonly link?: { readonly words: string; readonly name: string; readonly device: string };
  /** Nothing on the server says by which interface the pools come. */
  readonly isUntold?: true;
  /** Which address of the router's leads to which VM, where the Internet doesn't see the VMs' own. */
  readonly forward?: { readonly from: string; readonly to: string };
  /** A private address that VMs reach, as the server does. */
  readonly beyond?: string;
  /** What may be otherwise, and changes nothing for VMs. */
  readonly vary?: (scene: Scene) => Promise<unknown>;
}

const MAIN = '123.45.90.112/29';
const ROUTED = { pools: [MAIN, '123.45.53.11', '2001:db8:12:48::/64'] };

/** By the title of the section. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  'Routed addresses': { site: ROUTED },
  'Addresses on the wire': { site: { ...ROUTED, ipv4: 'on-link', ipv6: 'on-link' } },
  'A subnet on a VLAN': {
    site: { pools: [MAIN] },
    lay: layVlan,
    link: {
      words: 'link add link eth0 name eth0.4000 type vlan id 4000',
      name: 'eth0.4000',
      device: 'vlan',
    },
  },
  Colocation: { site: { pools: [] }, lay: layRack },
  'A subnet by a tunnel': {
    site: { pools: [] },
    lay: layGre,
    isUntold: true,
    link: {
      words: 'tunnel add gre1 mode gre remote 123.45.200.1 local 123.45.12.48 ttl 255',
      name: 'gre1',
      device: 'gre',
    },
  },
  'IPv6 alone': {
    site: { pools: ['2001:db8:12:48::/64'], ipv6: 'on-link' },
    lay: async ({ lab }) => {
      await lab.gateway.sh('ip -4 addr flush dev h1');
      return [];
    },
  },
  'Several interfaces': { site: { pools: [] }, lay: layTwo, vary: speakBgp },
  'At home': {
    site: { pools: [] },
    lay: layHome,
    forward: { from: '123.45.200.1', to: '192.168.1.241' },
    beyond: '10.99.0.1',
  },
};

/** Takes packets only from where it would send their answers, as a provider does: what leaves by a wrong uplink is lost. */
const strict = (gateway: Machine): Promise<string> =>
  gateway.run(['sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1']);

/** A wire of its own, for frames that a real VLAN would carry beside the others. */
async function layVlan({ host, lab: { gateway } }: Scene): Promise<Machine[]> {
  await strict(gateway);
  await ip(gateway.netns, [
    `link add vlan4000 mtu 1400 type veth peer name vlan mtu 1400 netns ${host.netns}`,
    'addr add 203.0.113.1/28 dev vlan4000',
    'link set vlan4000 up',
  ]);
  return [];
}

/** A rack's switch, with somebody else's machine on it. */
async function layRack({ lab: { gateway, dir } }: Scene): Promise<Machine[]> {
  await gateway.sh(`ip link add rack type bridge forward_delay 0
    sysctl -qw net.ipv6.conf.rack.accept_dad=0
    ip addr flush dev h1
    ip link set h1 master rack
    ip addr add 203.0.113.1/28 dev rack
    ip addr add 2001:db8:113::1/64 dev rack nodad
    ip link set rack up`);
  const peer = await Guest.create(dir, gateway, 99, { name: 'peer', bridge: 'rack' });
  await peer.sh(`ip addr add 203.0.113.7/28 dev eth0; ip route add default via 203.0.113.1
    ip addr add 2001:db8:113::7/64 dev eth0 nodad; ip route add default via 2001:db8:113::1`);
  return [peer];
}

/** Both ends of GRE (RFC 2784): what a TUN device writes before a packet is just the header of GRE. */
async function layGre({ host, lab: { gateway } }: Scene): Promise<Machine[]> {
  await strict(gateway);
  const end = async (machine: Machine, device: string, local: string, remote: string): Promise<void> => {
    const tun = `TUN,tun-type=tun,tun-name=${device},iff-no-pi=0`;
    machine.start(['socat', tun, `IP4-DATAGRAM:${remote}:47,bind=${local}`]);
    await until(
      async () => (await machine.attempt(['ip', 'link', 'show', device])).code === 0,
      PATIENCE,
      device,
    );
  };
  await end(gateway, 'tun1', '123.45.200.1', '123.45.12.48');
  await end(host, 'gre', '123.45.12.48', '123.45.200.1');
  await ip(gateway.netns, [
    'addr add 10.7.0.1/30 dev tun1',
    'link set tun1 mtu 1476 up',
    'route add 198.51.100.0/26 dev tun1',
  ]);
  return [];
}

/** Two cables, by either of which the server is reached. */
async function layTwo({ host, lab: { gateway } }: Scene): Promise<Machine[]> {
  const both = 'nexthop via 198.51.100.2 dev h1 nexthop via 198.51.100.6 dev h1b';
  await ip(gateway.netns, [
    `link add h1b type veth peer name eth1 netns ${host.netns}`,
    'addr flush dev h1',
    'addr add 198.51.100.1/30 dev h1',
    'addr add 198.51.100.5/30 dev h1b',
    'link set h1b up',
    `route add 123.45.12.48 ${both}`,
    `route add 123.45.90.0/24 ${both}`,
  ]);
  return [];
}

/**
 * The server has the Internet's routes, as a routing daemon makes them, and no default route; and what is sent to VMs comes by
 * one way alone, whichever way they were asked by.
 */
async function speakBgp({ host, lab: { gateway } }: Scene): Promise<void> {
  await host.sh(`ways='src 123.45.12.48 proto bird nexthop via 198.51.100.1 nexthop via 198.51.100.5'
    for net in 123.45.200.0/24 9.0.0.0/8; do ip route add $net $ways; done
    ip route del default`);
  await gateway.run('ip route replace 123.45.90.0/24 via 198.51.100.6 dev h1b'.split(' '));
}

/** A router that translates: from the Internet one address is seen, and what is sent there goes to one VM. */
async function layHome({ lab: { gateway } }: Scene): Promise<Machine[]> {
  await gateway.sh(`ip addr flush dev h1; ip addr add 192.168.1.1/24 dev h1; ip addr add 10.99.0.1/32 dev h1
    nft -f - <<'END'
table ip home {
  chain out { type nat hook postrouting priority srcnat; oifname "inet" masquerade; }
  chain in { type nat hook prerouting priority dstnat; iifname "inet" ip daddr 123.45.200.1 dnat to 192.168.1.241; }
}
END`);
  return [gateway];
}
