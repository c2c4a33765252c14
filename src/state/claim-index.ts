/**
 * Who holds which address, scope and bridge. A claim is a symbolic link in /run/hnet/claims, named after what is claimed,
 * to the attachment of its holder; one whose attachment is gone is stale and binds nobody, so a crash leaves nothing behind.
 */
import { existsSync, rmSync } from 'node:fs';
import { halfOf, linkAtomically, linkIfThere, namesIn } from '../host/files.ts';
import type { Attachment } from '../model/attachment.ts';
import { addressClaim, claimedAddress } from '../model/claim-name.ts';
import { type Claimed, calledIn, claimPath, claimsOf, claimTarget } from '../model/claims.ts';
import { collide } from '../model/forward.ts';
import { formatCalled } from '../model/forward-words.ts';
import { CLAIMS_DIRECTORY } from '../model/names.ts';
import { around, isSingle, overlaps, type Prefix } from '../model/prefix.ts';

/** Gives back what one attachment claims and another of the same domain doesn't. @param kind only names that begin so */
export function surrenderClaims(held: Attachment, kept: Attachment, kind = ''): void {
  const keep = claimsOf(kept);
  for (const claim of claimsOf(held))
    if (!keep.has(claim) && claim.startsWith(kind)) dropClaim(claim, held.domain);
}

const standingClaims = (): string[] =>
  namesIn(CLAIMS_DIRECTORY).filter(name => /^(ip|scope|bridge|port)-/.test(name) && !name.endsWith('~'));

/** The bridges that domains have. */
export const claimedBridges = (): string[] =>
  standingClaims().flatMap(claim => /^bridge-(.*)$/.exec(claim)?.[1] ?? []);

/** Every claim and the domain it names, stale ones too. */
export const allClaims = (): Map<string, string> =>
  new Map(standingClaims().map(claim => [claim, namedBy(claim) ?? '']));

/** The domain that a claim names, running or not. */
const namedBy = (claim: string): string | undefined =>
  /([^/]*)\.json$/.exec(linkIfThere(claimPath(claim)) ?? '')?.[1];

/** The domain that holds a claim; undefined if it is free or stale. */
const holder = (claim: string): string | undefined =>
  // `existsSync` follows the link: the attachment of a stale claim is gone.
  existsSync(claimPath(claim)) ? namedBy(claim) : undefined;

/** The domain that holds exactly this prefix, if any. */
export const claimant = (prefix: Prefix): string | undefined => holder(addressClaim(prefix));

/** What of an attachment another domain holds, in words, and that domain's UUID. */
export function conflictOf(attachment: Attachment): { what: string; domain: string } | undefined {
  const ranges = attachment.addresses.flatMap(({ prefix }) => overlappingClaims(prefix));
  for (const claim of new Set([...claimsOf(attachment), ...ranges, ...collidingPorts(attachment)])) {
    const domain = holder(claim);
    if (domain !== undefined && domain !== attachment.domain) return { what: claimText(claim), domain };
  }
  return undefined;
}

/** Claims that may overlap a prefix without being equal: for a single address, the ranges around it. */
function overlappingClaims(prefix: Prefix): string[] {
  if (isSingle(prefix)) return around(prefix).map(addressClaim);
  // A range may hold claims of any length, so all are looked at; ranges are few.
  return standingClaims().filter(claim => {
    const held = claimedAddress(claim);
    return held !== undefined && overlaps(prefix, held);
  });
}

/** Claims of ports that its forwards need, wholly or in part. */
const collidingPorts = ({ forwards = [] }: Attachment): string[] =>
  forwards.length === 0
    ? []
    : standingClaims().filter(claim => {
        const held = calledIn(claim);
        return held !== undefined && forwards.some(one => collide(one, held));
      });

/** A claim as a person would say it: `123.45.90.116`, `scope 172.30.116.0/24`, `bridge br116`. */
function claimText(claim: string): string {
  const called = calledIn(claim);
  if (called !== undefined) return `port ${formatCalled(called)}`;
  const [kind, ...rest] = claim.split('-');
  if (kind === 'bridge') return `bridge ${rest.join('-')}`;
  const prefix = rest.join('/').replace(/\/(32|128)$/, '');
  return kind === 'ip' ? prefix : `scope ${prefix}`;
}

/** Claims everything of an attachment, over whatever claim stands there. */
export function placeClaims(attachment: Attachment): void {
  for (const claim of claimsOf(attachment)) linkAtomically(claimPath(claim), claimTarget(attachment.domain));
}

/** Removes a domain's claims, and what a process that was killed left of one half made. */
export function dropClaims(attachment: Claimed & Pick<Attachment, 'domain'>): void {
  for (const claim of claimsOf(attachment)) dropClaim(claim, attachment.domain);
}

function dropClaim(claim: string, domain: string): void {
  for (const path of [claimPath(claim), halfOf(claimPath(claim))])
    if (linkIfThere(path)?.endsWith(`/${domain}.json`)) rmSync(path, { force: true });
}
