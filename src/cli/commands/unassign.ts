import { changeAssignment, changing, warnOfRules } from '../../assign/change.ts';
import { recordUnassigned } from '../../assign/record.ts';
import type { Context } from '../../host/context.ts';
import { forgetFlows } from '../../host/flows.ts';
import { type KnownDomain, pick } from '../../libvirt/libvirt.ts';
import { format, parsePrefix } from '../../model/address.ts';
import type { Address } from '../../model/bridge.ts';
import { addressesOf, amended } from '../../model/domain.ts';
import { equal, type Prefix } from '../../model/prefix.ts';
import { asUsage, quote, Refusal, visible } from '../../model/refusal.ts';

/** Takes addresses from a domain, at once where it runs: those given, or all. Its interface stays where it is. */
export function unassign(name: string, given: readonly string[], context: Context): void {
  const prefixes = given.map(text => asUsage(() => parsePrefix(text), 'unassign'));
  changing(context, libvirt => {
    const known = pick(libvirt.domains(), name);
    const rest = prefixes.length === 0 ? [] : remaining(known, prefixes);
    const assignment = rest.length === 0 ? undefined : amended(known.next, { addresses: rest });
    changeAssignment(libvirt, known, assignment, [], context);
    warnOfRules(known, rest, context);
    const gone = addressesOf(known.next).filter(address => !rest.includes(address));
    recordUnassigned(
      known,
      gone.map(({ prefix }) => prefix),
      context,
    );
    // Otherwise open connections would go on to whoever holds the address next.
    if (known.active) for (const { prefix } of gone) forgetFlows(prefix, context.host);
    tell(known, gone, context);
  });
}

function remaining({ next }: KnownDomain, prefixes: readonly Prefix[]): Address[] {
  const addresses = addressesOf(next);
  const stranger = prefixes.find(prefix => !addresses.some(address => equal(address.prefix, prefix)));
  if (stranger !== undefined) {
    const held = addresses.map(({ prefix }) => format(prefix)).join(', ') || 'nothing';
    throw new Refusal(`Cannot unassign ${format(stranger)}: ${quote(next.name)} holds ${held}`);
  }
  return addresses.filter(({ prefix }) => !prefixes.some(one => equal(one, prefix)));
}

function tell({ domain, active }: KnownDomain, gone: readonly Address[], { print }: Context): void {
  const name = visible(domain.name);
  const released = gone.map(({ prefix }) => format(prefix)).join(', ');
  print(released === '' ? `${name}: nothing was assigned` : `${name}: ${released} released`);
  if (active && released !== '') print(`${name} is running: this is in force now`);
}
