/** Which of the kernel's events concern domains; pure. */
import { parsePrefix } from '../model/address.ts';
import { ROUTE_PROTOCOL } from '../model/names.ts';
import { overlaps, type Prefix } from '../model/prefix.ts';
import { ifPossible } from '../model/refusal.ts';

/** A line of `ip -o monitor` about a route: its type, where that isn't unicast, and its destination. */
const ROUTE = /^(?:Deleted )?(?:[a-z]+ )?([\da-f.:]+(?:\/\d+)?) /;
/** A link, an address or a rule begins with a number. */
const NUMBERED = /^(?:Deleted )?\d+:\s/;
const OURS = new RegExp(` proto ${ROUTE_PROTOCOL} `);
/** A route that somebody configured, which may lead to a network of the host's: what routing protocols make names them. */
const CONFIGURED = /^(?:Deleted )?[\da-f.:]+(?:\/\d+)? (?!.*\bproto (?!static\b))/;
/** A shorter one is a part of a default route. */
const SPECIFIC = 8;

/** What concerns a host. */
export interface Grounds {
  /** Where domains have their addresses from, and those of the host and its gateways. */
  readonly ranges: readonly Prefix[];
  /** The interfaces towards the Internet, as far as they are known: what is routed there is no network of the host's. */
  readonly uplinks: readonly string[];
}

/**
 * Whether a line of `ip -o monitor link address route rule` may concern domains. A router's table changes all the time: its
 * routes are nobody's business unless they touch our ranges. Configured ones may lead to networks whose callers are answered, unless a
 * hop of theirs leaves by an uplink.
 */
export function concerns(line: string, { ranges, uplinks }: Grounds): boolean {
  if (NUMBERED.test(line) || OURS.test(line)) return true;
  if (CONFIGURED.test(line) && !hopsOf(line).some(device => uplinks.includes(device))) return true;
  const [, destination] = ROUTE.exec(line) ?? [];
  const prefix = destination === undefined ? undefined : ifPossible(() => parsePrefix(destination));
  if (prefix === undefined || prefix.length < SPECIFIC) return true;
  return ranges.some(range => overlaps(range, prefix));
}

const hopsOf = (line: string): string[] =>
  [...line.matchAll(/ dev (\S+)/g)].flatMap(([, device]) => device ?? []);
