/**
 * Who holds which address, scope and bridge. The file system is the index: a claim is a symbolic link in
 * /run/hnet/claims, named after what is claimed, to the attachment of the domain that holds it. A claim whose
 * attachment is gone is stale and binds nobody, so a crash on the way leaves nothing to clean up. A lookup costs the
 * same with 4,000 domains as with one.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { halfOf, linkAtomically, linkIfThere } from '../host/files.ts';
import { parsePrefix } from '../model/address.ts';
import type { Attachment } from '../model/attachment.ts';
import { claimPath, claimsOf, claimTarget, dashed } from '../model/claims.ts';
import { CLAIMS_DIRECTORY } from '../model/names.ts';
import { around, isSingle, overlaps, type Prefix } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { readAttachment } from './attachment-files.ts';

/**
 * Gives back what one attachment claims and another of the same domain doesn't.
 * @param kind only claims whose names begin so
 */
export function surrenderClaims(held: Attachment, kept: Attachment, kind = ''): void {
  const keep = claimsOf(kept);
  for (const claim of claimsOf(held))
    if (!keep.has(claim) && claim.startsWith(kind)) dropClaim(claim, held.domain);
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

/** Claims everything of an attachment, over whatever claim stands there. */
export function placeClaims(attachment: Attachment): void {
  for (const claim of claimsOf(attachment)) linkAtomically(claimPath(claim), claimTarget(attachment.domain));
}

/** Removes what a domain claims; also what a process that was killed has left of it. */
export function dropClaims(attachment: Pick<Attachment, 'domain' | 'addresses'>): void {
  for (const claim of claimsOf(attachment)) dropClaim(claim, attachment.domain);
}

function dropClaim(claim: string, domain: string): void {
  for (const path of [claimPath(claim), halfOf(claimPath(claim))])
    if (linkIfThere(path)?.endsWith(`/${domain}.json`)) rmSync(path, { force: true });
}
