/** What domains reach on the host itself, and what it sends them. */

import type { Config } from '../../model/config.ts';
import { GATEWAY6 } from '../../model/names.ts';
import type { Family } from '../../model/prefix.ts';
import { icmpTypes, ND } from './discovery.ts';
import { accept, CAUSES, type Chain, drop, type Match, type Rule, replies, rule } from './rules.ts';

/** 0.0.0.0/8, "this network" (RFC 1122, 3.2.1.3). */
const THIS_NETWORK: Match = { is: 'net', side: 'source', prefix: { family: 4, first: 0n, length: 8 } };

/**
 * The host believes no router on a bridge, whatever its settings; and it must hear its neighbours. What it advertises
 * itself comes back to it, as multicasts do, and is no attempt of a domain's.
 */
const discovery: Rule[] = [
  rule(drop(CAUSES.echo), { is: 'net', side: 'source', prefix: GATEWAY6 }, icmpTypes(ND.advertisement)),
  rule(drop(CAUSES.advertisement), icmpTypes(ND.advertisement, ND.redirect)),
  rule(accept, icmpTypes(ND.routers, ND.neighbours, ND.neighbour)),
];

/**
 * The reverse-path check lets 0.0.0.0 through to broadcast and multicast addresses, because DHCP needs it. Only
 * the host itself receives those, so what isn't DHCP is dropped here, at no cost to what is forwarded.
 */
export function hostChains(family: Family, config: Config): Chain[] {
  const closed = config.firewall.hostAccess === 'dhcp-only';
  return [
    {
      name: 'hnet-input',
      rules: [
        rule(accept, { is: 'dhcp-request' }),
        ...(family === 4 ? [rule(drop(CAUSES.spoofed), THIS_NETWORK)] : discovery),
        rule(accept, replies),
        ...(closed
          ? [rule(accept, { is: 'protocol', protocol: 'icmp' } as const), rule(drop(CAUSES.host))]
          : []),
      ],
    },
    {
      name: 'hnet-output',
      rules: [
        rule(accept, { is: 'dhcp-reply' }),
        // send_redirects can't be switched off for one interface while conf.all has it on, as is the default.
        rule(drop(CAUSES.redirect), { is: 'icmp-redirect' }),
        ...(family === 4 ? [] : [rule(accept, icmpTypes(ND.advertisement, ND.neighbours, ND.neighbour))]),
      ],
    },
  ];
}
