/** Ways by which a host's own traffic comes to leave by another interface than the uplink. */
import { ip } from '../lab/cable.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import type { Scene } from './scene.ts';

/** The far end of a second way to the Internet's host: its interface there, and its addresses at both ends. */
const FAR = { device: 'far', address: '10.9.0.2', address6: 'fd00:9::2' };
export const TUNNEL = { device: 'wg0', address: '10.9.0.1', address6: 'fd00:9::1' };

/** Lays a second cable from the host to the Internet's host, in place of a tunnel or a second network. */
export async function layTunnel({ host, lab }: Scene): Promise<void> {
  await ip(lab.internet.netns, [
    `link add ${FAR.device} type veth peer name ${TUNNEL.device} netns ${host.netns}`,
    `addr add ${FAR.address}/24 dev ${FAR.device}`,
    `addr add ${FAR.address6}/64 dev ${FAR.device} nodad`,
    `link set ${FAR.device} up`,
  ]);
  await host.sh(`sysctl -qw net.ipv6.conf.${TUNNEL.device}.accept_dad=0
    ip addr add ${TUNNEL.address}/24 dev ${TUNNEL.device}
    ip addr add ${TUNNEL.address6}/64 dev ${TUNNEL.device} nodad
    ip link set ${TUNNEL.device} up
    while ! ip -o link show ${TUNNEL.device} | grep -q 'state UP'; do sleep 0.02; done`);
}

/** Somebody else's way out of the host, in both families: how it comes, and how it goes. */
export interface Way {
  readonly up: string;
  readonly down: string;
}

const both = (lines: string): string => `for family in -4 -6; do\n${lines}\ndone`;
const { device } = TUNNEL;

export const WAYS: Readonly<Record<string, Way>> = {
  // wg-quick(8), add_default: rules without a preference, and the same commands backward.
  'a tunnel of wg-quick': {
    up: both(`ip $family route add default dev ${device} table 51820
      ip $family rule add not fwmark 51820 table 51820
      ip $family rule add table main suppress_prefixlength 0`),
    down: both(`ip $family rule delete table 51820
      while ip $family rule delete table main suppress_prefixlength 0 2>/dev/null; do :; done
      ip $family route flush table 51820`),
  },
  'an exit node of tailscale': {
    up: both(`ip $family route add default dev ${device} table 52
      ip $family rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
      ip $family rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
      ip $family rule add pref 5250 fwmark 0x80000/0xff0000 unreachable
      ip $family rule add pref 5270 lookup 52`),
    down: both(`for pref in 5210 5230 5250 5270; do ip $family rule del pref $pref; done
      ip $family route flush table 52`),
  },
  'the two halves of OpenVPN': {
    up: `ip route add 0.0.0.0/1 via ${FAR.address}; ip route add 128.0.0.0/1 via ${FAR.address}
      ip -6 route add ::/1 via ${FAR.address6}; ip -6 route add 8000::/1 via ${FAR.address6}`,
    down: `ip route del 0.0.0.0/1; ip route del 128.0.0.0/1; ip -6 route del ::/1; ip -6 route del 8000::/1`,
  },
  'a second network whose default route is better': {
    up: `ip route add default via 123.45.12.1 dev eth0 onlink metric 100; ip route del default metric 0
      ip route add default via ${FAR.address} metric 50
      ip -6 route add default via ${FAR.address6} metric 50`,
    down: `ip route del default metric 50; ip -6 route del default metric 50
      ip route add default via 123.45.12.1 dev eth0 onlink; ip route del default metric 100`,
  },
};

/** The source with which the host's own packets reach the Internet's host. */
export const seenFrom = async ({ host }: Scene, family: 4 | 6): Promise<string | undefined> => {
  const answer = await host.run(['ip', '-o', 'route', 'get', family === 4 ? INTERNET : INTERNET6]);
  return / dev (\S+)/.exec(answer)?.[1];
};
