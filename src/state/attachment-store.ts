import {
  type Dir,
  existsSync,
  mkdirSync,
  opendirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import * as v from 'valibot';
import type { Firewall } from '../firewall/rules/backend.ts';
import { formatRule, type Policy, parseRule } from '../firewall/rules/policy.ts';
import { halfOf, linkIfThere, readIfThere, removeWhole, writeAtomically } from '../host/files.ts';
import { around, format, isSingle, overlaps, type Prefix, parsePrefix } from '../model/address.ts';
import type { Address } from '../model/assignment.ts';
import { claimPath, claimsOf, claimTarget, dashed } from '../model/claims.ts';
import { DHCP_MODES, type DhcpMode, ownMode } from '../model/dhcp-mode.ts';
import { ATTACHMENTS_DIRECTORY, CLAIMS_DIRECTORY, INTERFACE_NAME, isUuid, MAC } from '../model/names.ts';
import { Refusal, reason } from '../model/refusal.ts';

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
  readonly backend: Firewall['name'];
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
  backend: v.picklist(['iptables', 'nftables']),
});

export const fileOf = (domain: string): string => `${ATTACHMENTS_DIRECTORY}/${domain}.json`;
export const scriptOf = (domain: string): string => `${ATTACHMENTS_DIRECTORY}/${domain}.sh`;

/**
 * The attachment of a domain, or undefined if it has none.
 * @throws Refusal if the file is there and can't be read as one (cut off in the middle, say)
 */
export function readAttachment(domain: string): Attachment | undefined {
  const text = readIfThere(fileOf(domain));
  if (text === undefined) return undefined;
  try {
    const { dhcp, macs, onLink, ...rest } = v.parse(schema, JSON.parse(text));
    const known = macs === undefined ? {} : { macs: new Map(Object.entries(macs)) };
    return { ...rest, ...ownMode(dhcp), ...known, ...(onLink === undefined ? {} : { onLink }) };
  } catch (error) {
    throw new Refusal(`Cannot read ${fileOf(domain)}: ${reason(error)}`);
  }
}

/** UUIDs of all domains that have an attachment, readable or not; read as they are asked for. */
export function* attachedDomains(): Generator<string> {
  const directory = open(ATTACHMENTS_DIRECTORY);
  try {
    for (let entry = directory?.readSync() ?? null; entry !== null; entry = directory?.readSync() ?? null) {
      const [, domain = ''] = /^(.*)\.json$/.exec(entry.name) ?? [];
      if (isUuid(domain)) yield domain;
    }
  } finally {
    directory?.closeSync();
  }
}

/**
 * Tells one writing of a domain's attachment from the next, for the file is replaced and never written in place;
 * undefined if there is none.
 */
export function stampOf(domain: string): string | undefined {
  const status = statSync(fileOf(domain), { throwIfNoEntry: false });
  return status === undefined ? undefined : `${status.ino} ${status.mtimeMs}`;
}

function open(directory: string): Dir | undefined {
  return existsSync(directory) ? opendirSync(directory) : undefined;
}

/**
 * Claims everything an attachment holds, then writes it; to be called under the `claims` lock.
 *
 * The filesystem is the index: a claim is a symbolic link, named after an address, a scope or a bridge, to the
 * attachment that holds it. A claim whose attachment is gone is stale, so a crash on the way leaves nothing
 * that binds. Looking one up costs the same with 4,000 domains as with one.
 * @throws Refusal naming the other domain, with nothing claimed
 */
export function writeAttachment(attachment: Attachment): void {
  try {
    mkdirSync(CLAIMS_DIRECTORY, { recursive: true, mode: 0o755 });
    mkdirSync(ATTACHMENTS_DIRECTORY, { recursive: true, mode: 0o755 });
    refuseClaimed(attachment);
    for (const claim of claimsOf(attachment)) placeClaim(claim, attachment.domain);
    rewriteAttachment(attachment);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    dropClaims(attachment);
    throw new Refusal(`Cannot write ${fileOf(attachment.domain)}: ${reason(error)}`);
  }
}

/** Writes an attachment whose claims stand already. */
export function rewriteAttachment(attachment: Attachment): void {
  removeWhole(scriptOf(attachment.domain));
  writeAtomically(fileOf(attachment.domain), `${JSON.stringify(plain(attachment), null, 2)}\n`);
}

/** Puts a domain's release beside its attachment: see release.ts. */
export function writeScript(domain: string, script: string): void {
  try {
    writeAtomically(scriptOf(domain), script);
  } catch {
    // A full disk. Without the script the hook's program does it.
  }
}

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

/**
 * Gives back what one attachment claims and another of the same domain doesn't.
 * @param kind only claims whose names begin so
 */
export function surrenderClaims(held: Attachment, kept: Attachment, kind = ''): void {
  const keep = claimsOf(kept);
  for (const claim of claimsOf(held))
    if (!keep.has(claim) && claim.startsWith(kind)) dropClaim(claim, held.domain);
}

/** Removes an attachment and its claims; that there is none is no error. */
export function removeAttachment(attachment: Pick<Attachment, 'domain' | 'addresses'>): void {
  dropClaims(attachment);
  discardAttachment(attachment.domain);
}

/** Removes an attachment file that can't be read; its claims become stale by that. */
export function discardAttachment(domain: string): void {
  removeWhole(scriptOf(domain));
  removeWhole(fileOf(domain));
}

function standingClaims(): string[] {
  const names = existsSync(CLAIMS_DIRECTORY) ? readdirSync(CLAIMS_DIRECTORY) : [];
  return names.filter(name => /^(ip|scope|bridge)-/.test(name) && !name.endsWith('~'));
}

/** Every claim and the domain it names, stale ones too. */
export function allClaims(): Map<string, string> {
  return new Map(
    standingClaims().map(claim => [
      claim,
      /([^/]*)\.json$/.exec(linkIfThere(claimPath(claim)) ?? '')?.[1] ?? '',
    ]),
  );
}

/** The domain that holds a claim, or undefined if it is free or stale. */
function holder(claim: string): string | undefined {
  // Asked of the link's target: that of a stale claim is gone.
  if (!existsSync(claimPath(claim))) return undefined;
  return linkIfThere(claimPath(claim))
    ?.replace(/^.*\//, '')
    .replace(/\.json$/, '');
}

/** The domain that holds exactly this prefix, if any. */
export const claimant = (prefix: Prefix): string | undefined => holder(`ip-${dashed(prefix)}`);

/** Refuses what another attachment holds, naming its domain. */
export function refuseClaimed(attachment: Attachment): void {
  const ranges = attachment.addresses.flatMap(({ prefix }) => overlappingClaims(prefix));
  for (const claim of new Set([...claimsOf(attachment), ...ranges])) {
    const domain = holder(claim);
    if (domain === undefined || domain === attachment.domain) continue;
    throw new Refusal(`${claimText(claim)} is in use by ${nameOf(domain)}`);
  }
}

/** Claims that may stand in the way of a prefix without being equal: of a single address, the ranges around it. */
function overlappingClaims(prefix: Prefix): string[] {
  if (isSingle(prefix)) return around(prefix).map(range => `ip-${dashed(range)}`);
  // A range may hold claims of any length, so that all are looked at; ranges are few.
  return standingClaims().filter(
    claim =>
      claim.startsWith('ip-') && overlaps(prefix, parsePrefix(claim.slice(3).replace(/-(\d+)$/, '/$1'))),
  );
}

/** A claim as a person would say it: `123.45.90.116`, `scope 172.30.116.0/24`, `bridge br116`. */
function claimText(claim: string): string {
  const [kind, ...rest] = claim.split('-');
  if (kind === 'bridge') return `bridge ${rest.join('-')}`;
  const prefix = rest.join('/').replace(/\/(32|128)$/, '');
  return kind === 'ip' ? prefix : `scope ${prefix}`;
}

function nameOf(domain: string): string {
  try {
    return `domain ${JSON.stringify(readAttachment(domain)?.name ?? domain)}`;
  } catch {
    return `the domain with UUID ${domain}`;
  }
}

function placeClaim(claim: string, domain: string): void {
  const temporary = halfOf(claimPath(claim));
  rmSync(temporary, { force: true });
  symlinkSync(claimTarget(domain), temporary);
  renameSync(temporary, claimPath(claim));
}

/** Removes what a domain claims; also what a process that was killed has left of it. */
function dropClaims(attachment: Pick<Attachment, 'domain' | 'addresses'>): void {
  for (const claim of claimsOf(attachment)) dropClaim(claim, attachment.domain);
}

function dropClaim(claim: string, domain: string): void {
  for (const path of [claimPath(claim), halfOf(claimPath(claim))])
    if (linkIfThere(path)?.endsWith(`/${domain}.json`)) rmSync(path, { force: true });
}
