/** What is known of a domain without a look at the host; pure. */
import type { KnownDomain } from '../../libvirt/libvirt.ts';
import { format } from '../../model/address.ts';
import type { Address } from '../../model/bridge.ts';
import { addressesOf, type Domain, domainWord, policyOf } from '../../model/domain.ts';
import { formatForward } from '../../model/forward-words.ts';
import { GATEWAY6, gatewayOf } from '../../model/names.ts';
import { overlaps, type Prefix } from '../../model/prefix.ts';
import { formatRule } from '../../model/rule.ts';
import { callsOf } from './calls.ts';
import type { AddressFacts, ReachFacts } from './facts.ts';

/** @param all every domain, for another one may have its addresses */
export function outlineOf(known: KnownDomain, all: readonly KnownDomain[], state: string): ReachFacts {
  const { domain } = known;
  const { intent } = domain;
  const { inbound, isolate, rules } = policyOf(domain);
  const isClone = intent.kind === 'assigned' && addressesOf(domain).length === 0;
  const words = {
    none: 'none',
    malformed: 'unreadable',
    assigned: isClone ? 'a clone' : 'assigned',
  } as const;
  return {
    domain: domain.name,
    uuid: domain.uuid,
    word: domainWord(domain),
    state,
    assignment: words[intent.kind],
    why: intent.kind === 'malformed' ? intent.why : null,
    record: null,
    addresses: addressesOf(domain).map(one => addressOutline(one, domain, holderOf(one.prefix, known, all))),
    bridges: [],
    nics: [],
    drift: [],
    rules: { inbound, isolate, rules: rules.map(formatRule), dropped: 0, shared: {} },
    blockades: [],
    uplinks: [],
    blind: [],
  };
}

const addressOutline = (
  { prefix, bridge, scope, via }: Address,
  domain: Domain,
  holder: string | null,
): AddressFacts => ({
  address: format(prefix),
  family: prefix.family,
  bridge,
  via: via === undefined ? null : format(via),
  forwards: callsOf(domain, prefix).map(one => ({ forward: formatForward(one), port: one.to })),
  uplinks: [],
  gateways: [format(prefix.family === 6 ? GATEWAY6 : gatewayOf(scope))],
  holder,
  kernel: [],
  heard: null,
  counted: null,
});

/** Another running domain that has a part of a prefix. */
function holderOf(
  prefix: Prefix,
  { domain: { uuid } }: KnownDomain,
  all: readonly KnownDomain[],
): string | null {
  const others = all.filter(({ domain, active }) => active && domain.uuid !== uuid);
  const holder = others.find(({ domain }) => addressesOf(domain).some(one => overlaps(one.prefix, prefix)));
  return holder?.domain.name ?? null;
}
