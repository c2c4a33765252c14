/** A domain's own rules as chains of the filter. */

import { applies, type Policy, type PolicyRule } from '../../model/policy.ts';
import type { Family } from '../../model/prefix.ts';
import { back, CAUSES, type Chain, CUT, drop, go, type Match, type Rule, rule, type Side } from './rules.ts';

/**
 * The names of a domain's chains, after 64 bits of its UUID: the domain's own name may be anything, and iptables allows 28
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

/** The rules of a domain as chains of the filter; each rule of the policy is one rule of its chain. */
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
  const inbound = [...own('inbound'), last];
  const outbound = own('outbound');
  return [
    { name: names.inbound, rules: inbound.map(toRule) },
    { name: names.outbound, rules: [...outbound.map(toRule), rule(back)] },
    { name: names.midstreamIn, rules: [...outbound.map(mirrored), rule(back)] },
    { name: names.midstreamOut, rules: inbound.map(mirrored) },
  ];
}

/** Judges a packet in the direction that the rule is about. */
const toRule = (one: PolicyRule): Rule => ({
  when: matches(one, 'destination', one.direction === 'inbound' ? 'source' : 'destination'),
  verdict: one.action === 'allow' ? back : drop(CAUSES.policy),
});

/** Judges a packet that may be an answer to one that the rule is about: source and destination are exchanged. */
const mirrored = (one: PolicyRule): Rule => ({
  when: matches(one, 'source', one.direction === 'inbound' ? 'destination' : 'source'),
  verdict: one.action === 'allow' ? back : go(CUT),
});

function matches({ protocol, ports, peer }: PolicyRule, portsOf: Side, peerIs: Side): Match[] {
  const net: Match[] = peer === undefined ? [] : [{ is: 'net', side: peerIs, prefix: peer }];
  if (protocol === undefined) return net;
  return protocol !== 'icmp' && ports.length > 0
    ? [...net, { is: 'ports', protocol, ranges: ports, side: portsOf }]
    : [...net, { is: 'protocol', protocol }];
}
