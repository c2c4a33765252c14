/** A domain's own rules as chains of the filter. */
import type { Family, Prefix } from '../../model/prefix.ts';
import { applies, type Policy, type PolicyRule } from '../../model/rule.ts';
import { back, CAUSES, type Chain, CUT, drop, go, type Match, type Rule, rule, type Side } from './rules.ts';

/** A running domain as the filter sees it. */
export interface Guarded {
  readonly domain: string;
  readonly addresses: readonly Prefix[];
  readonly scopes: readonly Prefix[];
  readonly policy: Policy;
  /** Whether it has flows that nobody has tracked so far: it runs, and gets its first rules. */
  readonly underway: boolean;
}

/**
 * The chains of a domain, named after 64 bits of its UUID: its own name may be anything, and iptables takes 28
 * bytes.
 */
export function policyChainNames(domain: string) {
  const id = `${domain.slice(0, 8)}${domain.slice(-8)}`;
  return {
    inbound: `hnet-in-${id}`,
    outbound: `hnet-out-${id}`,
    midstreamIn: `hnet-mid-i-${id}`,
    midstreamOut: `hnet-mid-o-${id}`,
  };
}

/** The rules of a domain as chains of the filter; each rule of the policy is one place in its chain. */
export function policyChains(domain: string, policy: Policy, family: Family): Chain[] {
  const names = policyChainNames(domain);
  const own = (direction: PolicyRule['direction']): PolicyRule[] =>
    policy.rules.filter(one => one.direction === direction && applies(one, family));
  const last = {
    direction: 'inbound',
    action: policy.inbound,
    protocol: undefined,
    ports: [],
    peer: undefined,
  } as const;
  return [
    { name: names.inbound, rules: [...own('inbound'), last].map(toRule) },
    { name: names.outbound, rules: [...own('outbound').map(toRule), rule(back)] },
    { name: names.midstreamIn, rules: [...own('outbound').map(mirrored), rule(back)] },
    { name: names.midstreamOut, rules: [...own('inbound'), last].map(mirrored) },
  ];
}

/** A rule as it looks from the other side: at packets that may answer those it is about. */
function mirrored({ direction, action, protocol, ports, peer }: PolicyRule): Rule {
  return {
    when: matches(protocol, ports, peer, 'source', direction === 'inbound' ? 'destination' : 'source'),
    verdict: action === 'allow' ? back : go(CUT),
  };
}

function toRule({ direction, action, protocol, ports, peer }: PolicyRule): Rule {
  return {
    when: matches(protocol, ports, peer, 'destination', direction === 'inbound' ? 'source' : 'destination'),
    verdict: action === 'allow' ? back : drop(CAUSES.policy),
  };
}

function matches(
  protocol: PolicyRule['protocol'],
  ports: PolicyRule['ports'],
  peer: PolicyRule['peer'],
  portsOf: Side,
  peerIs: Side,
): Match[] {
  const when: Match[] = [];
  if (peer !== undefined) when.push({ is: 'net', side: peerIs, prefix: peer });
  if (ports.length > 0 && protocol !== undefined && protocol !== 'icmp')
    when.push({ is: 'ports', protocol, ranges: ports, side: portsOf });
  else if (protocol !== undefined) when.push({ is: 'protocol', protocol });
  return when;
}
