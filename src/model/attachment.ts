/** Attachments, and their text in /run/hnet. */
import * as v from 'valibot';
import { format, parsePrefix } from './address.ts';
import { parseBootFile } from './boot.ts';
import type { Address } from './bridge.ts';
import { BACKENDS, type Backend } from './config.ts';
import { DHCP_MODES, type OwnDhcp } from './dhcp-mode.ts';
import type { Forward } from './forward.ts';
import { formatForward, parseForward } from './forward-words.ts';
import { MOVE_STATES, type MoveState } from './move.ts';
import { digest, INTERFACE_NAME, isUuid, MAC } from './names.ts';
import type { Policy } from './policy.ts';
import { isAmong, type Prefix } from './prefix.ts';
import { quote, Refusal } from './refusal.ts';
import { formatRule, parseRule } from './rule.ts';
import { refuseNewer } from './version.ts';

/** What the hook has applied for a running domain. Release obeys this, not the metadata of the day. */
export interface Attachment extends OwnDhcp {
  readonly domain: string;
  /** The domain's name when it started, for people. */
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly policy: Policy;
  readonly forwards?: readonly Forward[];
  /** Bridge → MACs of the domain's interfaces on it, to which public leases are bound. */
  readonly macs?: ReadonlyMap<string, readonly string[]>;
  /** Bridge → the smallest MTU that an interface on it has in the domain's definition, in bytes. */
  readonly mtus?: ReadonlyMap<string, number>;
  /** Where it is on its way between hosts; undefined: it is here. */
  readonly state?: MoveState;
  /** The filter it was set up with; a later change of the configuration doesn't hide what stands. */
  readonly backend: Backend;
}

/** The uplink on whose wire the host answers for an address; undefined where the provider routes it here. */
export type WireOf = (prefix: Prefix) => string | undefined;

/** What a domain was probably set up with, where its attachment is lost and its metadata doesn't say. */
export interface Presumed {
  readonly backend: Backend;
  readonly wires: WireOf;
}

const prefixText = v.pipe(v.string(), v.transform(parsePrefix));
const interfaceName = v.pipe(v.string(), v.regex(INTERFACE_NAME));
const mac = v.pipe(v.string(), v.regex(MAC));
const toMap = <T>(entries: Readonly<Record<string, T>>): ReadonlyMap<string, T> =>
  new Map(Object.entries(entries));

/** Version 0.1 wrote none, and it is read still. */
const VERSION = 2;

const textSchema = v.object({
  domain: v.pipe(v.string(), v.check(isUuid)),
  name: v.string(),
  addresses: v.array(
    v.object({
      prefix: prefixText,
      bridge: interfaceName,
      scope: prefixText,
      via: v.exactOptional(prefixText),
      wire: v.exactOptional(interfaceName),
    }),
  ),
  policy: v.object({
    inbound: v.picklist(['allow', 'deny']),
    isolate: v.boolean(),
    rules: v.array(v.pipe(v.string(), v.transform(parseRule))),
  }),
  forwards: v.exactOptional(v.array(v.pipe(v.string(), v.transform(parseForward)))),
  dhcp: v.exactOptional(v.picklist(DHCP_MODES)),
  boot: v.exactOptional(v.pipe(v.string(), v.transform(parseBootFile))),
  macs: v.exactOptional(v.pipe(v.record(v.string(), v.array(mac)), v.transform(toMap))),
  mtus: v.exactOptional(v.pipe(v.record(v.string(), v.number()), v.transform(toMap))),
  /** What version 0.1 wrote: the wire of all IPv6 addresses. */
  onLink: v.exactOptional(interfaceName),
  state: v.exactOptional(v.picklist(MOVE_STATES)),
  backend: v.picklist(BACKENDS),
});

const schema = v.pipe(
  textSchema,
  v.transform(({ onLink, ...attachment }): Attachment => {
    if (onLink === undefined) return attachment;
    const answered = (one: Address): Address =>
      one.prefix.family === 6 && one.wire === undefined ? { ...one, wire: onLink } : one;
    return { ...attachment, addresses: attachment.addresses.map(answered) };
  }),
);

/** The beginning of an attachment's text: a digest of the rest, on a line of its own, which the gate reads too. */
const HEAD = /^\{\n {2}("sum": "([0-9a-f]{8})",)\n/;

/**
 * Reads the text of an attachment.
 * @throws Error where it isn't one, or isn't what was written: cut off, or with one byte for another. What release and
 * repair go by has to be right, or they would take down what is another domain's.
 * @throws NewerRefusal where a newer hnet wrote it
 */
export function parseAttachment(text: string): Attachment {
  const [head, , sum] = HEAD.exec(text) ?? [];
  if (head === undefined) throw new Refusal('it has no digest');
  if (digest(text.slice(head.length)) !== sum) throw new Refusal('it is damaged');
  const value: unknown = JSON.parse(text);
  refuseNewer(value, VERSION);
  return v.parse(schema, value);
}

/** The line that tells an attachment from every other, and from an earlier one of the same domain. */
export const sumLine = (text: string): string => HEAD.exec(text)?.[1] ?? '';

/** The text that {@link parseAttachment} reads. */
export function renderAttachment(attachment: Attachment): string {
  const { addresses, policy, forwards, macs, mtus } = attachment;
  const plain = {
    version: VERSION,
    ...attachment,
    addresses: addresses.map(({ prefix, scope, via, ...one }) => ({
      ...one,
      prefix: format(prefix),
      scope: format(scope),
      ...(via && { via: format(via) }),
    })),
    policy: { ...policy, rules: policy.rules.map(formatRule) },
    forwards: forwards?.map(formatForward),
    macs: macs && Object.fromEntries(macs),
    mtus: mtus && Object.fromEntries(mtus),
  };
  const rest = `${JSON.stringify(plain, null, 2).slice(2)}\n`;
  return `{\n  "sum": "${digest(rest)}",\n${rest}`;
}

/** An attachment in a line for people: `br116 of "vm1"`. */
export const attachmentTitle = ({ name, addresses }: Pick<Attachment, 'name' | 'addresses'>): string =>
  `${[...new Set(addresses.map(({ bridge }) => bridge))].join(', ')} of ${quote(name)}`;

/** Addresses that one attachment has and another hasn't. */
export const lostAddresses = (before: Attachment | undefined, after: Attachment | undefined): Prefix[] =>
  prefixesOf(before).filter(prefix => !isAmong(prefixesOf(after), prefix));

/** The addresses of an attachment; none of one that isn't there. */
export const prefixesOf = (attachment: Attachment | undefined): Prefix[] =>
  (attachment?.addresses ?? []).map(({ prefix }) => prefix);
