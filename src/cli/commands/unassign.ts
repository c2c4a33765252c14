import { changing, enact, warnOfRules } from '../../assign/change.ts';
import { decide } from '../../assign/decision.ts';
import { recordUnassigned } from '../../assign/record.ts';
import { refuseElsewhere, type Shared, sharing } from '../../assign/shared.ts';
import type { Context } from '../../host/context.ts';
import { forgetFlows } from '../../host/flows.ts';
import { type KnownDomain, type Libvirt, pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { format, parsePrefix } from '../../model/address.ts';
import type { Address } from '../../model/bridge.ts';
import { addressesOf, amended, type Domain, forwardsOf } from '../../model/domain.ts';
import { type Forward, familyOf } from '../../model/forward.ts';
import { formatForward, targetOf } from '../../model/forward-words.ts';
import { equal, type Prefix } from '../../model/prefix.ts';
import { asUsage, quote, Refusal, UsageRefusal, visible } from '../../model/refusal.ts';
import { confirm } from '../ask.ts';
import { answerOutcome, type DryRun } from '../changes.ts';
import { tellInForce } from '../in-force.ts';
import { runningShown } from '../views/domains.ts';

interface UnassignOptions extends DryRun {
  /** All of its addresses, without a question. */
  readonly all?: boolean;
}

/** Takes addresses from a domain, at once where it runs: those given, or all. Its interface stays where it is. */
export function unassign(
  name: string,
  given: readonly string[],
  options: UnassignOptions,
  fresh: () => Context,
): void {
  const prefixes = given.map(text => asUsage(() => parsePrefix(text), 'unassign'));
  if (options.all && prefixes.length > 0)
    throw new UsageRefusal('Cannot use --all with addresses: it means all that the domain has');
  if (prefixes.length === 0 && !options.all && !options.dryRun) refuseUnlessSure(name);
  // An answer may take long, and the deadline of a context begins with it.
  const context = fresh();
  changing(context, libvirt =>
    sharing(context, shared => unassignOnce(name, prefixes, options, libvirt, shared, context)),
  );
}

function unassignOnce(
  name: string,
  prefixes: readonly Prefix[],
  options: DryRun,
  libvirt: Libvirt,
  shared: Shared | undefined,
  context: Context,
): void {
  const known = pick(libvirt.domains(), name);
  refuseElsewhere('unassign from', known.domain, shared);
  const rest = prefixes.length === 0 ? [] : remaining(known, prefixes);
  const forwards = reachable(known.next, rest);
  const next = rest.length === 0 ? undefined : amended(known.next, { addresses: rest, forwards });
  const outcome = enact(libvirt, decide(known, next), options, context, shared);
  answerOutcome(outcome, options, context);
  warnOfRules(known, rest, context);
  warnOfForwards(known, forwards, context);
  if (options.dryRun) return;
  const gone = addressesOf(known.next).filter(address => !rest.includes(address));
  recordUnassigned(
    known,
    gone.map(({ prefix }) => prefix),
    context,
  );
  // Otherwise open connections would go on to whoever holds the address next.
  if (known.active) for (const { prefix } of gone) forgetFlows(prefix, context.host);
  tell(outcome.after, gone, context);
}

/** A domain that runs loses its network at once: a person is asked, a program has to say that it means it. */
function refuseUnlessSure(name: string): void {
  const { domain, active } = withLibvirt(libvirt => pick(libvirt.domains(), name));
  const held = addressesOf(domain).map(({ prefix }) => format(prefix));
  if (!active || held.length === 0) return;
  const loss = `${quote(domain.name)} runs, and loses ${held.join(', ')} at once`;
  confirm('unassign all addresses', `${loss}. Go on?`, `${loss}; name the addresses, or say --all`);
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

/** Forwards that still lead to an address. */
const reachable = (next: Domain, rest: readonly Address[]): readonly Forward[] =>
  forwardsOf(next).filter(one => targetOf(rest, familyOf(one)) !== undefined);

function warnOfForwards({ next }: KnownDomain, left: readonly Forward[], { warn }: Context): void {
  const gone = forwardsOf(next).filter(one => !left.includes(one));
  if (gone.length > 0)
    warn(
      `${quote(next.name)} has no address left for ${gone.map(formatForward).join(', ')}, which is gone too`,
    );
}

function tell(after: KnownDomain, gone: readonly Address[], context: Context): void {
  const { print } = context;
  const name = visible(after.domain.name);
  const released = gone.map(({ prefix }) => format(prefix)).join(', ');
  print(released === '' ? `${name}: nothing was assigned` : `${name}: ${released} released`);
  if (released !== '') tellInForce(after, runningShown([after], context), context);
}
