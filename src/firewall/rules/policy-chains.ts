/** A domain's own rules as chains of the filter. */

import { applies, type Policy, type PolicyRule } from '../../model/policy.ts';
import { hasPorts } from '../../model/ports.ts';
import type { Family } from '../../model/prefix.ts';
import { back, CAUSES, type Chain, CUT, chain, drop, go, type Match, rule, type Side } from './rules.ts';

/** What tells a domain's chains from another's. */
export const chainId = (domain: string): string => `${domain.slice(0, 8)}${domain.slice(-8)}`;

/** The names of a domain's chains hold 64 bits of its UUID: its own name may be anything, and iptables allows 28 bytes. */
export function policyChainNames(domain: string) {
  const id = chainId(domain);
  return {
    inbound: `hnet-in-${id}`,
    outbound: `hnet-out-${id}`,
    midstreamIn: `hnet-mid-i-${id}`,
    midstreamOut: `hnet-mid-o-${id}`,
  };
}

/** Whether a chain is one of {@link policyChainNames}, or one of port-forwards.ts, whosever. */
export const isOfDomain = (chain: string): boolean =>
  /^hnet-(?:in|out|mid-i|mid-o|fwd-i|fwd-o)-[0-9a-f]{16}$/.test(chain);

/** The rules of a domain as chains of the filter; each rule of the policy is one rule of its chain. */
export function policyChains(domain: string, policy: Policy, family: Family): Chain[] {
  const names = policyChainNames(domain);
  const [inbound = [], outbound = []] = (['inbound', 'outbound'] as const).map(direction =>
    policy.rules.filter(one => one.direction === direction && applies(one, family)),
  );
  return [
    chain(names.inbound, ...inbound.map(toRule), rule(judge(policy.inbound))),
    chain(names.outbound, ...outbound.map(toRule), rule(back)),
    chain(names.midstreamIn, ...outbound.map(mirrored), rule(back)),
    chain(names.midstreamOut, ...inbound.map(mirrored), rule(cut(policy.inbound))),
  ];
}

const judge = (action: PolicyRule['action']) => (action === 'allow' ? back : drop(CAUSES.policy));
const cut = (action: PolicyRule['action']) => (action === 'allow' ? back : go(CUT));

/** Judges a packet in the direction that the rule is about. */
const toRule = (one: PolicyRule) =>
  rule(
    judge(one.action),
    ...matches(one, 'destination', one.direction === 'inbound' ? 'source' : 'destination'),
  );

/** Judges a packet that may be an answer to one that the rule is about: source and destination are exchanged. */
const mirrored = (one: PolicyRule) =>
  rule(cut(one.action), ...matches(one, 'source', one.direction === 'inbound' ? 'destination' : 'source'));

function matches({ protocol, ports, peer }: PolicyRule, portsOf: Side, peerIs: Side): Match[] {
  const net: Match[] = peer === undefined ? [] : [{ is: 'net', side: peerIs, prefix: peer }];
  if (protocol === undefined) return net;
  return hasPorts(protocol) && ports.length > 0
    ? [...net, { is: 'ports', protocol, ranges: ports, side: portsOf }]
    : [...net, { is: 'protocol', protocol }];
}
