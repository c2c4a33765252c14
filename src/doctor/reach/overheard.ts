/** Adds to the facts what was heard on the wires, and what the filter counted meanwhile; pure. */
import { countedOf } from '../../firewall/rules/counted.ts';
import { type Drops, ownDrops, sharedDrops } from '../../firewall/rules/drops.ts';
import { format, parseAddress } from '../../model/address.ts';
import type { Attachment } from '../../model/attachment.ts';
import { contains } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import type { Survey } from '../../repair/findings.ts';
import type { AddressFacts, BridgeFacts, ReachFacts, RuleFacts } from './facts.ts';
import { askedInVain, echoes, hearingOf, type Listened, usedOn, whereIs } from './hearing.ts';
import { ASKED } from './plan.ts';
import type { Plan, UplinkSide } from './wires.ts';

/** The filter before anybody listened, and what it was made from. */
interface Before extends Pick<Survey, 'config' | 'uplinks' | 'firewall' | 'view'> {
  /** What is set up for the domain. */
  readonly attachment: Attachment | undefined;
}

/** What was asked and heard, and the filter afterwards. */
export interface Hearing {
  readonly plan: Plan;
  readonly listening: Listened;
  readonly after: FilterView;
  /** Bridge → limits of hnet's that it exceeds. */
  readonly exceeded: ReadonlyMap<string, readonly string[]>;
}

export function overheard(facts: ReachFacts, before: Before, hearing: Hearing): ReachFacts {
  const { plan, listening } = hearing;
  return {
    ...facts,
    addresses: facts.addresses.map(one => ({ ...one, ...addressHeard(one, before, hearing) })),
    bridges: facts.bridges.map(one => bridgeHeard(one, hearing)),
    rules: { ...facts.rules, ...drops(before, hearing) },
    uplinks: facts.uplinks.map(one => ({ ...one, silent: silentGateways(one.device, plan, listening) })),
    blind: blindness(facts.addresses.length, plan, listening),
  };
}

function addressHeard(
  { address }: AddressFacts,
  { view }: Before,
  { plan, listening, after }: Hearing,
): Partial<AddressFacts> {
  const asked = plan.prefixes.find(({ prefix }) => format(prefix) === address);
  if (asked === undefined) return {};
  const isHeard =
    plan.bridges.some(({ device }) => device === asked.bridge) && !listening.deaf.has(asked.bridge);
  const [before, now] = [view.filter, after].map(filter => countedOf(asked.prefix, filter));
  const isCounted = before !== undefined && now !== undefined;
  const rise = (way: 'in' | 'out') => Number((now?.[way].packets ?? 0n) - (before?.[way].packets ?? 0n));
  return {
    heard: isHeard ? hearingOf(asked, plan, listening) : null,
    counted: isCounted ? { in: rise('in'), out: rise('out') } : null,
  };
}

function bridgeHeard(before: BridgeFacts, { plan, listening, exceeded }: Hearing): BridgeFacts {
  const facts = { ...before, exceeds: exceeded.get(before.name) ?? [] };
  const { seen, until, deaf } = listening;
  const side = plan.bridges.find(({ device }) => device === facts.name);
  if (side === undefined || deaf.has(facts.name)) return facts;
  const here = seen.filter(({ device }) => device === facts.name);
  const spoke = (out: boolean): boolean => here.some(one => one.out === out && one.message.is === 'dhcp');
  const used = usedOn(seen, side).map(({ address }) => address);
  return {
    ...facts,
    uses: used.filter(one => !plan.prefixes.some(({ prefix }) => contains(prefix, one))).map(format),
    asksInVain: askedInVain(seen, side, until),
    talks: here.some(({ out }) => !out),
    dhcp: { ...facts.dhcp, asked: spoke(false), answered: spoke(true) },
  };
}

/** What was dropped meanwhile. Answers that we asked for meet the rules as well, and don't count. */
function drops(
  { config, uplinks, firewall, view, attachment }: Before,
  { plan, listening, after }: Hearing,
): Pick<RuleFacts, 'dropped' | 'shared'> {
  const rise = (read: (filter: FilterView) => Drops): [string, number][] => {
    const before = read(view.filter);
    return [...read(after)]
      .map(([cause, { packets }]): [string, number] => [
        cause,
        Number(packets - (before.get(cause)?.packets ?? 0n)),
      ])
      .filter(([, packets]) => packets > 0);
  };
  const own = attachment === undefined ? [] : rise(filter => ownDrops(attachment, firewall, filter));
  const asked = plan.uplinks.flatMap(uplink => echoes(listening.seen, uplink, 'in'));
  const ours = asked.filter(
    ({ id, destination }) =>
      id === plan.id && plan.prefixes.some(one => contains(one.prefix, parseAddress(destination))),
  );
  const dropped = own.reduce((sum, [, packets]) => sum + packets, 0);
  return {
    dropped: Math.max(0, dropped - ours.length),
    shared: Object.fromEntries(rise(filter => sharedDrops(config, uplinks, firewall, filter))),
  };
}

function silentGateways(device: string, { uplinks }: Plan, { deaf, seen }: Listened): string[] {
  const uplink = uplinks.find(one => one.device === device);
  if (uplink === undefined || deaf.has(device)) return [];
  return uplink.gateways.filter(one => whereIs(seen, uplink, one) === undefined).map(format);
}

function blindness(count: number, { uplinks }: Plan, { deaf, seen }: Listened): string[] {
  const answered = new Set(
    uplinks.flatMap(uplink => echoes(seen, uplink, 'in')).map(({ destination }) => destination),
  );
  // Without an answer to the host itself, the lack of one to a domain tells nothing.
  const isSilent = ({ device, far, own }: UplinkSide): boolean =>
    far.length > 0 && !deaf.has(device) && !own.some(one => answered.has(format(one)));
  return [
    ...[...deaf].map(([device, why]) => `nothing could be heard on ${device}: ${why}`),
    ...uplinks
      .filter(isSilent)
      .map(
        ({ device }) =>
          `nobody outside answered a ping by ${device}, so it is not known whether the provider delivers the addresses here`,
      ),
    ...(count > ASKED ? [`only the first ${ASKED} of ${count} addresses were asked for`] : []),
  ];
}
