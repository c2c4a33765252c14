/** The filter's chains for the host itself: what domains reach on it, and what it sends them. */
import type { Config } from '../../model/config.ts';
import { GATEWAY6 } from '../../model/names.ts';
import type { PortRange } from '../../model/ports.ts';
import type { Family } from '../../model/prefix.ts';
import {
  back,
  CAUSES,
  type Chain,
  chain,
  drop,
  flood,
  fromNet,
  icmpTypes,
  jump,
  ND,
  type Rule,
  replies,
  rule,
} from './rules.ts';
import { DHCP_MESSAGES, type SetNames } from './sets.ts';

/**
 * The host accepts no router advertisement on a bridge. Its own advertisements, which are multicasts, come back to it: they
 * have a cause of their own, because no domain sent them.
 */
const advertisements: Rule[] = [
  rule(drop(CAUSES.echo), fromNet(GATEWAY6), icmpTypes(ND.advertisement)),
  rule(drop(CAUSES.advertisement), icmpTypes(ND.advertisement, ND.redirect)),
];

/** 0.0.0.0/8, "this network" (RFC 1122, 3.2.1.3). */
const THIS_NETWORK = fromNet({ family: 4, first: 0n, length: 8 });

/** The port to which a server listens, from whatever port it is asked. */
const DHCP_SERVER: Readonly<Record<Family, PortRange>> = { 4: [67, 67], 6: [547, 547] };

/**
 * The reverse-path check lets packets from 0.0.0.0 to broadcast and multicast addresses pass, because DHCP needs them. Only
 * the host itself receives these, so everything but DHCP is dropped here, where it costs forwarded packets nothing.
 */
export function hostChains(family: Family, sets: SetNames, config: Config): Chain[] {
  const closed = config.firewall.hostAccess === 'dhcp-only';
  return [
    chain(
      'hnet-input',
      rule(jump('hnet-asking'), { is: 'ports', protocol: 'udp', ranges: [DHCP_SERVER[family]] }),
      rule(back, { is: 'dhcp-request' }),
      ...(family === 4 ? [rule(drop(CAUSES.spoofed), THIS_NETWORK)] : advertisements),
      // In IPv6, ICMP includes the discovery of neighbours.
      ...(closed
        ? [rule(back, replies), rule(back, { is: 'protocol', protocol: 'icmp' }), rule(drop(CAUSES.host))]
        : []),
    ),
    chain('hnet-asking', rule(drop(CAUSES.asking), flood(sets.asking, DHCP_MESSAGES)), rule(back)),
    // A packet of the host's own has no checksum before a network card makes one, and there is none on the way. Clients that
    // read raw packets, as boot ROMs and BSD's do, drop it. With DHCPv6 nobody reads raw packets.
    // send_redirects of one interface has no effect while conf.all has it on, which is the default.
    chain(
      'hnet-output',
      rule(drop(CAUSES.redirect), { is: 'icmp-redirect' }),
      ...(family === 4 ? [rule({ do: 'checksum' }, { is: 'dhcp-reply' })] : []),
    ),
  ];
}
