/** A further way to the Internet: a wire at the provider on which a host, its gateway and others' machines are. */

import { carrier, ip } from '../lab/cable.ts';
import { Guest } from '../lab/guest.ts';
import type { Scene } from './scene.ts';

/** Everything on that wire; the host's interface is `device`. */
export const SEGMENT = {
  device: 'eth1',
  subnet: '203.0.113.0/28',
  gateway: '203.0.113.1',
  host: '203.0.113.2',
  peer: '203.0.113.7',
  /** A part of its IPv6 subnet: in all of it others have addresses. */
  pool6: '2001:db8:113:0:1::/80',
  gateway6: '2001:db8:113::1',
  host6: '2001:db8:113::2',
  peer6: '2001:db8:113::7',
} as const;

/** The table of hnet.toml for it: the provider looks for its addresses on the wire. */
export const SEGMENT_TOML = `[[uplinks]]
device = "${SEGMENT.device}"
gateway = ["${SEGMENT.gateway}", "${SEGMENT.gateway6}"]
pools = ["${SEGMENT.subnet}", "${SEGMENT.pool6}"]
ipv4 = "on-link"
ipv6 = "on-link"`;

/** What the gateway calls the wire. */
const BRIDGE = 'seg1';

/**
 * Lays it, with one machine of somebody else's on it. The gateway takes only packets that come from where it would send
 * their answers, as a provider does: what leaves by the wrong uplink is lost.
 */
export async function laySegment({ host, lab }: Pick<Scene, 'host' | 'lab'>): Promise<Guest> {
  const { gateway } = lab;
  await gateway.sh(`ip link add ${BRIDGE} type bridge forward_delay 0
    ip addr add ${SEGMENT.gateway}/28 dev ${BRIDGE}
    sysctl -qw net.ipv6.conf.${BRIDGE}.accept_dad=0 net.ipv4.conf.all.rp_filter=1
    ip addr add ${SEGMENT.gateway6}/64 dev ${BRIDGE} nodad
    ip link set ${BRIDGE} up`);
  await ip(gateway.netns, [
    `link add port1 type veth peer name ${SEGMENT.device} netns ${host.netns}`,
    `link set port1 master ${BRIDGE} up`,
  ]);
  await host.sh(`sysctl -qw net.ipv6.conf.${SEGMENT.device}.accept_dad=0 net.ipv6.conf.${SEGMENT.device}.accept_ra=0
    ip addr add ${SEGMENT.host}/28 dev ${SEGMENT.device}
    ip addr add ${SEGMENT.host6}/64 dev ${SEGMENT.device} nodad
    ip link set ${SEGMENT.device} up`);
  await carrier(host.netns, SEGMENT.device);
  const peer = await Guest.create(lab.dir, gateway, 99, { name: 'peer', bridge: BRIDGE });
  await peer.sh(`ip addr add ${SEGMENT.peer}/28 dev eth0; ip route add default via ${SEGMENT.gateway}
    ip addr add ${SEGMENT.peer6}/64 dev eth0 nodad; ip route add default via ${SEGMENT.gateway6}`);
  await carrier(gateway.netns, BRIDGE);
  return peer;
}
