/** What the hook has applied for a running domain, and its text in /run/hnet. */
import * as v from 'valibot';
import { format, parsePrefix } from './address.ts';
import type { Address } from './bridge.ts';
import { BACKENDS, type Backend } from './config.ts';
import { DHCP_MODES, type DhcpMode, ownMode } from './dhcp-mode.ts';
import { INTERFACE_NAME, isUuid, MAC } from './names.ts';
import type { Policy } from './policy.ts';
import { isAmong, type Prefix } from './prefix.ts';
import { quote } from './refusal.ts';
import { formatRule, parseRule } from './rule.ts';

/** What the hook has applied for a running domain. Release obeys this, not the metadata of the day. */
export interface Attachment {
  readonly domain: string;
  /** The domain's name when it started, for people. */
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly policy: Policy;
  /** What the assignment says of DHCP; without it, what the configuration says. */
  readonly dhcp?: DhcpMode;
  /** Bridge → MACs of the domain's interfaces on it, to which public leases are bound. */
  readonly macs?: ReadonlyMap<string, readonly string[]>;
  /** The uplink on whose wire its IPv6 addresses are answered for, where the provider doesn't route them. */
  readonly onLink?: string;
  /** The filter it was set up with; a later change of the configuration doesn't hide what stands. */
  readonly backend: Backend;
}

const prefixText = v.pipe(v.string(), v.transform(parsePrefix));

const schema = v.object({
  domain: v.pipe(v.string(), v.check(isUuid)),
  name: v.string(),
  addresses: v.array(
    v.object({ prefix: prefixText, bridge: v.pipe(v.string(), v.regex(INTERFACE_NAME)), scope: prefixText }),
  ),
  policy: v.object({
    inbound: v.picklist(['allow', 'deny']),
    isolate: v.boolean(),
    rules: v.array(v.pipe(v.string(), v.transform(parseRule))),
  }),
  dhcp: v.optional(v.picklist(DHCP_MODES)),
  macs: v.optional(v.record(v.string(), v.array(v.pipe(v.string(), v.regex(MAC))))),
  onLink: v.optional(v.pipe(v.string(), v.regex(INTERFACE_NAME))),
  backend: v.picklist(BACKENDS),
});

/**
 * Reads the text of an attachment.
 * @throws Error where it isn't one: cut off in the middle, say
 */
export function parseAttachment(text: string): Attachment {
  const { dhcp, macs, onLink, ...rest } = v.parse(schema, JSON.parse(text));
  const known = macs === undefined ? {} : { macs: new Map(Object.entries(macs)) };
  return { ...rest, ...ownMode(dhcp), ...known, ...(onLink === undefined ? {} : { onLink }) };
}

/** The text that {@link parseAttachment} reads. */
export const renderAttachment = (attachment: Attachment): string =>
  `${JSON.stringify(plain(attachment), null, 2)}\n`;

const plain = ({ domain, name, addresses, policy, dhcp, macs, onLink, backend }: Attachment): unknown => ({
  domain,
  name,
  addresses: addresses.map(({ prefix, bridge, scope }) => ({
    prefix: format(prefix),
    bridge,
    scope: format(scope),
  })),
  policy: { ...policy, rules: policy.rules.map(formatRule) },
  ...ownMode(dhcp),
  ...(macs === undefined ? {} : { macs: Object.fromEntries(macs) }),
  ...(onLink === undefined ? {} : { onLink }),
  backend,
});

/** An attachment in a line for people: `br116 of "vm1"`. */
export const attachmentTitle = ({ name, addresses }: Pick<Attachment, 'name' | 'addresses'>): string =>
  `${[...new Set(addresses.map(({ bridge }) => bridge))].join(', ')} of ${quote(name)}`;

/** Addresses that one attachment has and another hasn't. */
export const lostAddresses = (before: Attachment | undefined, after: Attachment | undefined): Prefix[] =>
  prefixesOf(before).filter(prefix => !isAmong(prefixesOf(after), prefix));

const prefixesOf = (attachment: Attachment | undefined): Prefix[] =>
  (attachment?.addresses ?? []).map(({ prefix }) => prefix);
