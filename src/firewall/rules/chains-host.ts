/** What domains reach on the host itself, and what the host sends them. */
import type { Config } from '../../model/config.ts';
import { GATEWAY6 } from '../../model/names.ts';
import type { Family } from '../../model/prefix.ts';
import {
  accept,
  CAUSES,
  type Chain,
  chain,
  drop,
  icmpTypes,
  type Match,
  ND,
  type Rule,
  replies,
  rule,
} from './rules.ts';

/** 0.0.0.0/8, "this network" (RFC 1122, 3.2.1.3). */
const THIS_NETWORK: Match = { is: 'net', side: 'source', prefix: { family: 4, first: 0n, length: 8 } };

/**
 * The host accepts no router advertisement on a bridge, whatever its sysctls say, but it needs neighbour discovery. Its own
 * advertisements come back to it, as multicasts do: they have a cause of their own, because no domain sent them.
 */
const discovery: Rule[] = [
  rule(drop(CAUSES.echo), { is: 'net', side: 'source', prefix: GATEWAY6 }, icmpTypes(ND.advertisement)),
  rule(drop(CAUSES.advertisement), icmpTypes(ND.advertisement, ND.redirect)),
  rule(accept, icmpTypes(ND.routers, ND.neighbours, ND.neighbour)),
];

/**
 * The reverse-path check lets packets from 0.0.0.0 to broadcast and multicast addresses pass, because DHCP needs them. Only
 * the host itself receives these, so everything but DHCP is dropped here, where it costs forwarded packets nothing.
 */
export function hostChains(family: Family, config: Config): Chain[] {
  const closed = config.firewall.hostAccess === 'dhcp-only';
  return [
    chain(
      'hnet-input',
      rule(accept, { is: 'dhcp-request' }),
      ...(family === 4 ? [rule(drop(CAUSES.spoofed), THIS_NETWORK)] : discovery),
      rule(accept, replies),
      ...(closed ? [rule(accept, { is: 'protocol', protocol: 'icmp' }), rule(drop(CAUSES.host))] : []),
    ),
    chain(
      'hnet-output',
      rule(accept, { is: 'dhcp-reply' }),
      // send_redirects of one interface has no effect while conf.all has it on, which is the default.
      rule(drop(CAUSES.redirect), { is: 'icmp-redirect' }),
      ...(family === 4 ? [] : [rule(accept, icmpTypes(ND.advertisement, ND.neighbours, ND.neighbour))]),
    ),
  ];
}
