/** Whether the kernel would serve the addresses of running domains: a packet to each, and one from it, by its own word. */
import type { Host } from '../host/host.ts';
import { askRoutes, askVerdicts, outside } from '../host/observe/verdict.ts';
import { format } from '../model/address.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Address } from '../model/bridge.ts';
import { domainWord } from '../model/domain.ts';
import { hostAddresses, type PeerAddress } from '../model/host-address.ts';
import { isHere } from '../model/move.ts';
import { contains, type Family, isSingle, nth, type Prefix, size } from '../model/prefix.ts';
import type { Unserved } from '../model/unserved.ts';
import { type Uplinks, uplinksOf } from '../model/uplink.ts';
import { type Cause, type Packet, rangesIn, type Verdict } from '../model/verdict.ts';
import type { View } from '../model/view.ts';
import { causeOf, isServed, type Sample, type Way } from './cause.ts';
import { obstaclesOf } from './obstacles.ts';

interface Asked {
  readonly view: View;
  readonly uplinks: Uplinks;
  readonly others: readonly PeerAddress[];
}

/**
 * Asks about every address, all in one process, and about causes where something is wrong. The packets are ones that no
 * filter has seen: marks, and what filters drop, are not in it.
 * @throws Refusal if `ip` doesn't answer
 */
export function unserved(attachments: readonly Attachment[], seen: Asked, host: Host): Unserved[] {
  // What is on its way between hosts the kernel sends to a peer.
  const here = attachments.filter(({ state }) => isHere(state));
  if (here.length === 0) return [];
  const around = { far: outside(host), particular: particularIn(seen.view) };
  const samples = here.flatMap(attachment =>
    attachment.addresses.flatMap(one => samplesOf(attachment, one, seen, around)),
  );
  const verdicts = askVerdicts(host, samples.flatMap(packetsOf));
  const wrong = samples.filter(({ towards, back }) =>
    [...towards, back].some(way => !isServed(way, verdictOn(way, verdicts))),
  );
  return [
    ...here.flatMap(attachment => twice(attachment, seen.others)),
    ...samples.flatMap(sample => obstaclesOf(sample, seen).map(cause => toUnserved(sample, cause))),
    ...explainAll(wrong, verdicts, seen, host),
  ];
}

/** Another host of the cluster has it itself, since later than the domain's start: whichever answers first has its packets. */
const twice = (attachment: Attachment, others: readonly PeerAddress[]): Unserved[] =>
  others.flatMap(({ host, address }) => {
    const held = attachment.addresses.find(({ prefix }) => contains(prefix, address))?.prefix;
    const { name, domain: uuid } = attachment;
    const mend = held && `hnet unassign ${domainWord({ name, uuid })} ${format(held)}`;
    const why = `${format(address)} is ${host}'s own address`;
    return mend === undefined ? [] : [{ attachment, address, cause: { why, mend } }];
  });

const toUnserved = ({ attachment, address }: Sample, cause: Cause): Unserved => ({
  attachment,
  address,
  cause,
});

const packetsOf = ({ towards, back }: Sample): Packet[] => [...towards, back].map(({ packet }) => packet);

function explainAll(
  wrong: readonly Sample[],
  verdicts: ReadonlyMap<unknown, Verdict>,
  seen: Asked,
  host: Host,
): Unserved[] {
  if (wrong.length === 0) return [];
  const routeOf = askRoutes(host, wrong.flatMap(packetsOf));
  return wrong.flatMap(sample => explained(sample, verdicts, { ...seen, routeOf }));
}

const verdictOn = ({ packet }: Way, verdicts: ReadonlyMap<unknown, Verdict>): Verdict =>
  verdicts.get(packet) ?? { is: 'dropped', words: 'ip gives no answer' };

interface Around {
  readonly far: Readonly<Record<Family, Prefix>>;
  /** Addresses at which the host may do something else than at those beside. */
  readonly particular: readonly Prefix[];
}

function samplesOf(
  attachment: Attachment,
  { prefix, bridge }: Address,
  { uplinks, view }: Asked,
  { far, particular }: Around,
): Sample[] {
  const outer = far[prefix.family];
  const devices = uplinksOf(prefix, uplinks).map(({ device }) => device);
  // Where several share the way, nothing comes by one that is down, and another one carries all.
  const up = devices.filter(device => view.links.get(device)?.up);
  return addressesIn(prefix, particular).map(address => ({
    attachment,
    address,
    towards: (up.length === 0 ? devices : up).map(iif => ({
      address,
      packet: { from: outer, to: address, iif },
      wanted: [bridge],
    })),
    back: { address, packet: { from: address, to: outer, iif: bridge }, wanted: devices },
  }));
}

/** What the host itself has, and where what others have configured of routes, rules and IPsec begins. */
const particularIn = (view: View): Prefix[] => [
  ...hostAddresses(view).map(({ address }) => address),
  ...[
    ...(view.configured ?? []).map(({ prefix }) => prefix),
    ...(view.policy?.rules ?? []).flatMap(rangesIn),
    ...(view.ipsec ?? []).flatMap(({ from, to }) => [from, to]),
  ].map(range => nth(range, 0n)),
];

/** Of a larger subnet so many addresses are asked about, beside those where something of others begins. */
const SAMPLES = 16n;

/**
 * Every address of a small subnet; of a larger one its ends, some between, and what is particular. An IPv6 subnet's first
 * address is the host's, as its router (RFC 4291).
 */
function addressesIn(prefix: Prefix, particular: readonly Prefix[]): Prefix[] {
  if (isSingle(prefix)) return [prefix];
  const [count, all] = [size(prefix) < SAMPLES ? size(prefix) : SAMPLES, size(prefix)];
  const spread = Array.from({ length: Number(count) }, (_, place) =>
    nth(prefix, (all * BigInt(place)) / count),
  );
  const samples = [...spread, nth(prefix, all - 1n), ...particular.filter(one => contains(prefix, one))];
  const usable = samples.map(one => (one.family === 6 && one.first === prefix.first ? nth(prefix, 1n) : one));
  return [...new Map(usable.map(one => [one.first, one])).values()];
}

/** All ways of an address usually have one cause; where they have several, each is told. */
function explained(
  sample: Sample,
  verdicts: ReadonlyMap<unknown, Verdict>,
  known: Parameters<typeof causeOf>[3],
): Unserved[] {
  const { towards, back } = sample;
  const home = verdictOn(back, verdicts);
  const there = towards.map(way => ({ way, verdict: verdictOn(way, verdicts) }));
  const causes = [
    ...there
      .filter(({ way, verdict }) => !isServed(way, verdict))
      .map(({ way, verdict }) => causeOf(way, verdict, home, known)),
    ...(isServed(back, home) ? [] : [causeOf(back, home, there[0]?.verdict, known)]),
  ];
  const unique = new Map(causes.map(cause => [cause.why, cause]));
  return [...unique.values()].map(cause => toUnserved(sample, cause));
}
