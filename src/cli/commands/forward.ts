import { changing, enact } from '../../assign/change.ts';
import { decide } from '../../assign/decision.ts';
import { refuseForward } from '../../assign/ports.ts';
import type { Context } from '../../host/context.ts';
import { listeners } from '../../host/observe/listeners.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { type KnownDomain, type Libvirt, pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { format } from '../../model/address.ts';
import { addressesOf, amended, forwardsOf } from '../../model/domain.ts';
import { type Forward, familyOf } from '../../model/forward.ts';
import {
  formatForward,
  innerPorts,
  isSameForward,
  parseForward,
  targetOf,
} from '../../model/forward-words.ts';
import { hostAddresses } from '../../model/host-address.ts';
import { formatPorts } from '../../model/ports.ts';
import { asUsage, quote, UsageRefusal, visible } from '../../model/refusal.ts';
import { answerOutcome, type DryRun } from '../changes.ts';
import { tellInForce } from '../in-force.ts';
import { table } from '../table.ts';
import { runningShown } from '../views/domains.ts';

interface ForwardOptions extends DryRun {
  /** The address of the host that is called. */
  readonly on?: string;
}

/** Lets a port of the host lead to a domain; at once if it runs. */
export function addForward(name: string, text: string, options: ForwardOptions, context: Context): void {
  const forward = read(text, options);
  changing(context, libvirt => {
    const domains = libvirt.domains();
    const known = pick(domains, name);
    const { view } = readNetworkWithUplinks(context.host, context.config());
    refuseForward(forward, known, domains, hostAddresses(view), listeners(context.host));
    const forwards = [...forwardsOf(known.next), forward];
    const after = make(libvirt, known, forwards, options, context);
    if (!options.dryRun)
      tell(after, `${formatForward(forward)} leads to ${whereOf(known, forward)}`, context);
  });
}

/** Takes it away again; open connections by it end. */
export function deleteForward(name: string, text: string, options: ForwardOptions, context: Context): void {
  const forward = read(text, options);
  changing(context, libvirt => {
    const known = pick(libvirt.domains(), name);
    const before = forwardsOf(known.next);
    const forwards = before.filter(one => !isSameForward(one, forward));
    if (forwards.length === before.length)
      throw new UsageRefusal(
        `Cannot delete ${formatForward(forward)}: ${quote(known.domain.name)} has ${before.map(formatForward).join(', ') || 'no forward'}`,
      );
    const after = make(libvirt, known, forwards, options, context);
    if (!options.dryRun) tell(after, `${formatForward(forward)} is gone`, context);
  });
}

function make(
  libvirt: Libvirt,
  known: KnownDomain,
  forwards: readonly Forward[],
  options: DryRun,
  context: Context,
): KnownDomain {
  const decision = decide(known, amended(known.next, { forwards }));
  const outcome = enact(libvirt, decision, options, context);
  answerOutcome(outcome, options, context);
  return outcome.after;
}

/** Shows the host's ports that lead to domains, or to one. */
export function listForwards(name: string | undefined, context: Context): void {
  const all = withLibvirt(libvirt => libvirt.domains());
  const rows = (name === undefined ? all : [pick(all, name)]).flatMap(known =>
    forwardsOf(known.next).map(forward => ({ known, forward })),
  );
  context.answer({ forwards: rows.map(answerOf) });
  if (rows.length === 0) {
    context.print('No port leads to a domain; hnet forward add DOMAIN tcp/2201:22 lets one');
    return;
  }
  const cells = rows.map(({ known, forward }) => [
    known.domain.name,
    formatForward(forward),
    whereOf(known, forward),
  ]);
  for (const line of table(['DOMAIN', 'FORWARD', 'TO'], cells, context.colour)) context.print(line);
}

function answerOf({ known, forward }: { readonly known: KnownDomain; readonly forward: Forward }) {
  const { protocol, ports, to, on } = forward;
  const target = targetOf(addressesOf(known.next), familyOf(forward));
  return {
    domain: known.domain.name,
    uuid: known.domain.uuid,
    forward: formatForward(forward),
    protocol,
    ports,
    on: on === undefined ? null : format(on),
    target: target === undefined ? null : format(target),
    to,
  };
}

const read = (text: string, { on }: ForwardOptions): Forward =>
  asUsage(() => parseForward(on === undefined ? text : `${text} on ${on}`), 'forward');

function whereOf({ next }: KnownDomain, forward: Forward): string {
  const target = targetOf(addressesOf(next), familyOf(forward));
  const inner = `${forward.protocol}/${formatPorts(innerPorts(forward))}`;
  return target === undefined ? '-' : `${format(target)} ${inner}`;
}

function tell(after: KnownDomain, what: string, context: Context): void {
  context.print(`${visible(after.domain.name)}: ${what}`);
  tellInForce(after, runningShown([after], context), context);
}
