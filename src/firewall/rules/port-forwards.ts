/** Ports of the host that lead to a domain. Who passes is for its rules to say (chains-filter.ts); here is where a call goes. */
import type { Address } from '../../model/bridge.ts';
import { type Forward, familyOf } from '../../model/forward.ts';
import { targetOf } from '../../model/forward-words.ts';
import { FAMILIES, type Family, type Prefix } from '../../model/prefix.ts';
import { LOOPBACK } from '../../model/reserved.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Calls, Firewall } from './backend.ts';
import { chainId } from './policy-chains.ts';
import { back, chain, labelled, type Match, type Rule, rule, toNet } from './rules.ts';

/** The names of a domain's chains; iptables needs the first alone. */
export const callChainNames = (domain: string): readonly [incoming: string, own: string] => [
  `hnet-fwd-i-${chainId(domain)}`,
  `hnet-fwd-o-${chainId(domain)}`,
];

interface Guarded {
  readonly domain: string;
  readonly addresses: readonly Address[];
  readonly forwards?: readonly Forward[];
}

/** One resource for each family of which the domain has forwards. */
export function portForwards({ domain, addresses, forwards = [] }: Guarded, firewall: Firewall): Resource[] {
  return FAMILIES.flatMap(family => {
    const target = targetOf(addresses, family);
    const own = forwards.filter(one => familyOf(one) === family);
    if (own.length === 0 || target === undefined || !firewall.families.includes(family)) return [];
    const calls = callsOf(domain, family, own, target);
    return {
      key: `forwards ${family} ${domain}`,
      label: labelled('port forwards', family),
      probe: ({ filter }) => firewall.probeForwards(calls, filter),
      up: ({ filter }) => firewall.installForwards(calls, filter),
      down: ({ filter }) => firewall.removeForwards(calls, filter),
    };
  });
}

/** What the host calls on loopback stays there: an answer could not come back to it. */
function callsOf(domain: string, family: Family, forwards: readonly Forward[], target: Prefix): Calls {
  const [incoming, own] = callChainNames(domain);
  const rules = [rule(back, toNet(LOOPBACK[family])), ...forwards.map(one => toRule(one, target))];
  return { family, incoming: chain(incoming, ...rules), own: chain(own, ...rules) };
}

function toRule({ protocol, ports, to, on }: Forward, target: Prefix): Rule {
  const called: Match[] = [
    { is: 'ports', protocol, ranges: [ports] },
    ...(on ? [toNet(on)] : []),
    { is: 'local' },
  ];
  return rule({ do: 'redirect', target, protocol, ports, to }, ...called);
}
