import { changeAssignment, warnOfRules } from '../../assign/change.ts';
import { forgetFlows } from '../../host/flows.ts';
import { withLock } from '../../host/lock.ts';
import { type KnownDomain, pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { format, parsePrefix } from '../../model/address.ts';
import { ownMode } from '../../model/dhcp-mode.ts';
import { addressesOf, dhcpOf, policyOf } from '../../model/domain.ts';
import { equal, type Prefix } from '../../model/prefix.ts';
import { quote, Refusal, UsageRefusal } from '../../model/refusal.ts';
import type { Context } from './context.ts';

/** Takes addresses from a domain, at once where it runs: those given, or all. Its interface stays where it is. */
export function unassign(name: string, given: readonly string[], context: Context): void {
  const prefixes = given.map(parse);
  withLibvirt(libvirt => {
    withLock('assignments', 'exclusive', context.host, () => {
      const known = pick(libvirt.domains(), name);
      const { domain, persistent, active } = known;
      const addresses = addressesOf(persistent ?? domain);
      const rest = prefixes.length === 0 ? [] : remaining(known, prefixes);
      const target = persistent ?? domain;
      const kept = {
        owner: domain.uuid,
        addresses: rest,
        policy: policyOf(target),
        ...ownMode(dhcpOf(target)),
      };
      changeAssignment(libvirt, known, rest.length === 0 ? undefined : kept, undefined, context);
      warnOfRules(known, rest, context);
      const released = addresses.filter(address => !rest.includes(address)).map(({ prefix }) => prefix);
      // Nobody holds them now, and whoever comes next isn't the end of anybody's open connections.
      for (const prefix of active ? released : []) forgetFlows(prefix, context.host);
      const gone = released.map(format);
      context.print(
        gone.length === 0
          ? `${domain.name}: nothing was assigned`
          : `${domain.name}: ${gone.join(', ')} released`,
      );
      if (active && gone.length > 0) context.print(`${domain.name} is running: this is in force now`);
    });
  });
}

function parse(text: string): Prefix {
  try {
    return parsePrefix(text);
  } catch (error) {
    throw new UsageRefusal(`Cannot unassign: ${(error as Error).message}`);
  }
}

function remaining({ domain, persistent }: KnownDomain, prefixes: readonly Prefix[]) {
  const addresses = addressesOf(persistent ?? domain);
  const stranger = prefixes.find(prefix => !addresses.some(address => equal(address.prefix, prefix)));
  if (stranger !== undefined) {
    const held = addresses.map(({ prefix }) => format(prefix)).join(', ') || 'nothing';
    throw new Refusal(`Cannot unassign ${format(stranger)}: ${quote(domain.name)} holds ${held}`);
  }
  return addresses.filter(({ prefix }) => !prefixes.some(one => equal(one, prefix)));
}
