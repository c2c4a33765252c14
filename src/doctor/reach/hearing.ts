/** What was heard on the wires of a domain, and what it tells of its addresses; pure. */
import { format, parseAddress } from '../../model/address.ts';
import { contains, equal, isLinkLocal, type Prefix } from '../../model/prefix.ts';
import type { Echo, Message } from '../frames.ts';
import type { Asked, Plan, Side, Sighting, UplinkSide } from './wires.ts';

/** Messages of one kind on a wire, one way. */
export const heard = <K extends Message['is']>(
  seen: readonly Sighting[],
  { device }: Pick<Side, 'device'>,
  way: 'in' | 'out',
  is: K,
): (Sighting & { message: Extract<Message, { is: K }> })[] =>
  seen.filter(
    (one): one is Sighting & { message: Extract<Message, { is: K }> } =>
      one.device === device && one.out === (way === 'out') && one.message.is === is,
  );

/** Where a neighbour is: the MAC of whoever answers for an address. */
export const whereIs = (seen: readonly Sighting[], side: Side, address: Prefix): string | undefined =>
  heard(seen, side, 'in', 'answer').find(({ message }) => message.sender === format(address))?.mac;

/** The uplinks by which an address comes and goes; all of them for one that isn't the domain's. */
export function sidesOf(address: Prefix, { uplinks, prefixes }: Plan): readonly UplinkSide[] {
  const own = prefixes.find(({ prefix }) => contains(prefix, address));
  return own === undefined ? uplinks : uplinks.filter(({ device }) => own.uplinks.includes(device));
}

/**
 * The ends from which a domain may be pinged. An IPv6 gateway often is link-local, and nobody's answer to that would leave
 * the wire.
 */
export const endsOf = (uplinks: readonly UplinkSide[]): Prefix[] =>
  uplinks.flatMap(({ far, own }) => [...far, ...own]).filter(one => !isLinkLocal(one));

/** An address that a system on a bridge uses, and its MAC. */
interface Used {
  readonly address: Prefix;
  readonly mac: string;
}

/** The use of one address, if anybody on the bridge uses it. */
export const usedAt = (address: Prefix, seen: readonly Sighting[], side: Pick<Side, 'device'>) =>
  usedOn(seen, side).find(one => equal(one.address, address));

const UNSPECIFIED = ['0.0.0.0', '::'];

/** The addresses that a domain is heard to use on a bridge, each once; without link-local ones. */
export function usedOn(seen: readonly Sighting[], { device }: Pick<Side, 'device'>): Used[] {
  const found = new Map<string, Used>();
  for (const { message, mac } of seen.filter(one => one.device === device && !one.out)) {
    const text = sourceOf(message);
    if (text === undefined || found.has(text)) continue;
    const address = parseAddress(text);
    if (!isLinkLocal(address)) found.set(text, { address, mac });
  }
  return [...found.values()];
}

/** The first of them in a prefix, if any. */
export const usedIn = (prefix: Prefix, seen: readonly Sighting[], side: Pick<Side, 'device'>): Prefix[] =>
  usedOn(seen, side)
    .map(({ address }) => address)
    .filter(address => contains(prefix, address))
    .slice(0, 1);

/** Who asks from the unspecified address asks whether anybody has the one that it is about to use. */
function sourceOf(message: Message): string | undefined {
  switch (message.is) {
    case 'dhcp':
      return undefined;
    case 'ping':
    case 'pong':
    case 'accepted':
    case 'refused':
      return message.source;
    case 'question':
      return UNSPECIFIED.includes(message.sender) ? message.target : message.sender;
    case 'answer':
      return message.sender;
  }
}

/** How long a neighbour may take to answer, in milliseconds: the kernel's proxy for IPv6 waits up to 0.8 s. */
const SLOW = 1000;

/** What is asked for on a wire, and nobody here answers: each address once. */
export function askedInVain(seen: readonly Sighting[], side: Pick<Side, 'device'>, until: number): string[] {
  const answered = new Set(heard(seen, side, 'out', 'answer').map(({ message }) => message.sender));
  const asked = heard(seen, side, 'in', 'question')
    .filter(({ at }) => at + SLOW <= until)
    .map(({ message }) => message)
    // Nobody is meant to answer those who announce themselves, or ask whether an address is free.
    .filter(({ sender, target }) => sender !== target && !UNSPECIFIED.includes(sender));
  return [...new Set(asked.map(({ target }) => target))].filter(target => !answered.has(target));
}

/** Whether something is so: that it isn't can only be told where it would have been seen. */
type Seen = 'yes' | 'no' | 'unknown';

/** What the wires told of one prefix of a domain. */
export interface Heard {
  /** The provider delivers to the uplink what is sent to it. */
  readonly arrives: Seen;
  /** The gateway looks for it on the uplink's wire, and nobody answers. */
  readonly soughtInVain: boolean;
  /** What arrives leaves by the bridge. */
  readonly passes: Seen;
  /** The address of the prefix that the domain answers for, or by which it routes it on; null if it answers for none. */
  readonly answers: string | null;
  /** The domain's reply to a ping comes back by the bridge. */
  readonly replies: Seen;
  /** That reply leaves by the uplink. */
  readonly leaves: Seen;
  /** The domain's ports that were called, and what came of it. */
  readonly calls: readonly { readonly port: number; readonly answer: Called }[];
}

/** What came of a call to a port: `unknown` is silence. */
export type Called = 'accepted' | 'refused' | 'unknown';

export function answerOf(address: Prefix, port: number, seen: readonly Sighting[], side: Side): Called {
  const isIt = (is: 'accepted' | 'refused'): boolean =>
    heard(seen, side, 'in', is).some(
      ({ message }) => message.source === format(address) && message.port === port,
    );
  return isIt('accepted') ? 'accepted' : isIt('refused') ? 'refused' : 'unknown';
}

/** What came by. */
export interface Listened {
  readonly seen: readonly Sighting[];
  /** When the listening ended, in milliseconds since it began. */
  readonly until: number;
  /** Why nothing could be heard on an interface. */
  readonly deaf: ReadonlyMap<string, string>;
}

export function hearingOf(asked: Asked, plan: Plan, listened: Listened): Heard {
  const { prefix, isPrivate, called } = asked;
  const bridge = { device: asked.bridge };
  const sides = sidesOf(prefix, plan);
  const { seen } = listened;
  const answers = answersFor(asked, seen);
  const replied = echoes(seen, bridge, 'in').filter(({ source }) => isIn(prefix, source));
  const isPinged = asked.via === undefined && answers !== null;
  return {
    ...(isPrivate ? UNHEARD : hearingOutside(asked, answers, replied, sides, listened)),
    answers,
    replies: judge(
      replied.length > 0,
      isPinged && endsOf(sides).some(({ family }) => family === prefix.family),
    ),
    calls: called.map(port => ({ port, answer: answerOf(prefix, port, seen, bridge) })),
  };
}

type Outside = Pick<Heard, 'arrives' | 'soughtInVain' | 'passes' | 'leaves'>;
/** Nobody outside knows of it. */
const UNHEARD: Outside = { arrives: 'unknown', soughtInVain: false, passes: 'unknown', leaves: 'unknown' };

/** Whoever takes what is sent to a prefix: an address of it, or the one by which it is routed on. */
function answersFor({ prefix, bridge, via }: Asked, seen: readonly Sighting[]): string | null {
  const [used] =
    via === undefined
      ? usedIn(prefix, seen, { device: bridge })
      : [usedAt(via, seen, { device: bridge })?.address];
  return used === undefined ? null : format(used);
}

const isIn = (prefix: Prefix, text: string): boolean => contains(prefix, parseAddress(text));

function hearingOutside(
  { prefix, bridge, via }: Asked,
  answers: string | null,
  replied: readonly Echo[],
  sides: readonly UplinkSide[],
  { seen, until, deaf }: Listened,
): Outside {
  const uplinks = sides.filter(({ device }) => !deaf.has(device));
  const isOf = (all: readonly Prefix[], text: string): boolean =>
    all.some(one => one.family === prefix.family && format(one) === text);
  const arriving = uplinks.flatMap(uplink => echoes(seen, uplink, 'in'));
  const arrived = arriving.filter(({ destination }) => isIn(prefix, destination));
  const isControlled = arriving.some(({ destination }) => uplinks.some(({ own }) => isOf(own, destination)));
  // Nobody forwards to an address that isn't there; behind a next hop the host doesn't know who is.
  const isTaken = (destination: string): boolean =>
    via === undefined ? destination === answers : answers !== null;
  return {
    arrives: judge(arrived.length > 0, isControlled),
    soughtInVain: uplinks.some(uplink => askedInVain(seen, uplink, until).some(one => isIn(prefix, one))),
    passes: judge(
      echoes(seen, { device: bridge }, 'out').some(({ destination }) => isIn(prefix, destination)),
      // Nor what a link-local gateway sends.
      arrived.some(one => isTaken(one.destination) && !isLinkLocal(parseAddress(one.source))),
    ),
    leaves: judge(
      uplinks.some(uplink => echoes(seen, uplink, 'out').some(({ source }) => isIn(prefix, source))),
      // By one that can't be heard it may leave unseen.
      uplinks.length === sides.length &&
        replied.some(({ destination }) => uplinks.some(({ far }) => isOf(far, destination))),
    ),
  };
}

/** Pings and replies that pass a wire, whoever sent them. */
export const echoes = (seen: readonly Sighting[], side: Pick<Side, 'device'>, way: 'in' | 'out'): Echo[] =>
  [...heard(seen, side, way, 'ping'), ...heard(seen, side, way, 'pong')].map(({ message }) => message);

const judge = (isSo: boolean, wouldShow: boolean): Seen => (isSo ? 'yes' : wouldShow ? 'no' : 'unknown');
