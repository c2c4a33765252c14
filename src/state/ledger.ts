/**
 * What hnet remembers of an address beyond a run and a reboot: who had it last, and how much traffic it had.
 * One small file per address, so that a release costs the same with 4,000 addresses as with one.
 */
import { existsSync, rmSync } from 'node:fs';
import * as v from 'valibot';
import { countingSets } from '../firewall/rules/sets.ts';
import { readIfThere, writeAtomically } from '../host/files.ts';
import { format, formatLong } from '../model/address.ts';
import { dashed } from '../model/claims.ts';
import { type Counter, plus, ZERO } from '../model/counter.ts';
import { isUuid, STATE_DIRECTORY } from '../model/names.ts';
import type { Prefix } from '../model/prefix.ts';
import type { FilterView } from '../model/view.ts';

/** Traffic of an address: `in` towards the domain, `out` from it. */
export interface Traffic {
  readonly in: Counter;
  readonly out: Counter;
}

export interface Entry {
  /** UUID of the domain that holds, or held, the address. */
  readonly domain: string;
  /** All traffic of this domain's, up to what `seen` says. */
  readonly total: Traffic;
  /** What the kernel's counters said when they were added last; they begin at zero with every run. */
  readonly seen: Traffic;
}

export const NO_TRAFFIC: Traffic = { in: ZERO, out: ZERO };

const counter = v.pipe(
  v.object({ packets: v.string(), bytes: v.string() }),
  v.transform(({ packets, bytes }): Counter => ({ packets: BigInt(packets), bytes: BigInt(bytes) })),
);
const traffic = v.object({ in: counter, out: counter });
const schema = v.object({ domain: v.string(), total: traffic, seen: traffic });

const pathOf = (prefix: Prefix, kind: 'json' | 'tally'): string =>
  `${STATE_DIRECTORY}/addresses/${dashed(prefix)}.${kind}`;
const fileOf = (prefix: Prefix): string => pathOf(prefix, 'json');

/**
 * Where a release that is a script (release.ts) leaves what was counted: the domain, what the filter's tool printed, and
 * `end`, that it is all. It is added up by whoever looks next.
 */
export const tallyFile = (prefix: Prefix): string => pathOf(prefix, 'tally');

/** What is remembered of an address; nothing, where the file is damaged: counters are no reason to fail. */
export function readEntry(prefix: Prefix): Entry | undefined {
  const entry = parsed(() => v.parse(schema, JSON.parse(readIfThere(fileOf(prefix)) ?? 'null')));
  // There seldom is one, and to find that out by failing to read it takes five times as long.
  if (!existsSync(tallyFile(prefix))) return entry;
  const tally = parsed(() => parseTally(prefix, readIfThere(tallyFile(prefix)) ?? ''));
  if (tally === undefined) return entry;
  const { domain, counted } = tally;
  const own = entry?.domain === domain ? entry : undefined;
  return { domain, total: totalOf(own, counted), seen: counted };
}

function parsed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** What a tally says; undefined if it isn't whole. */
export function parseTally(prefix: Prefix, text: string): { domain: string; counted: Traffic } | undefined {
  const [, domain = '', printed = ''] = /^(\S+)\n(.*)\nend\n$/s.exec(text) ?? [];
  const [counted, sent] = countingSets(prefix.family).map(name => countIn(printed, name, prefix));
  if (!isUuid(domain) || counted === undefined || sent === undefined) return undefined;
  return { domain, counted: { in: counted, out: sent } };
}

/** In both tools' words: `add SET PREFIX packets N bytes N`, and `set SET { … { PREFIX counter packets N bytes N`. */
function countIn(printed: string, set: string, prefix: Prefix): Counter | undefined {
  const entry = `(?:add ${set}|set ${set} {[^{}]*{) ${format(prefix).replaceAll('.', '\\.')}`;
  const [, packets, bytes] =
    new RegExp(`${entry} (?:counter )?packets (\\d+) bytes (\\d+)`).exec(printed) ?? [];
  return packets === undefined || bytes === undefined
    ? undefined
    : { packets: BigInt(packets), bytes: BigInt(bytes) };
}

function writeEntry(prefix: Prefix, entry: Entry): void {
  // Added up as `seen`, so that it counts once, though this process be killed between the two.
  if (existsSync(tallyFile(prefix))) {
    const settled = readEntry(prefix);
    if (settled !== undefined) write(prefix, settled);
    rmSync(tallyFile(prefix));
  }
  write(prefix, entry);
}

function write(prefix: Prefix, entry: Entry): void {
  const text = JSON.stringify(entry, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  writeAtomically(fileOf(prefix), `${text}\n`);
}

/** Notes who has the address from now on; the new owner's total begins at zero. */
export function noteOwner(prefix: Prefix, domain: string): void {
  writeEntry(prefix, { domain, total: NO_TRAFFIC, seen: NO_TRAFFIC });
}

/** Notes that the kernel's counters begin anew, for a domain that has had the address before. */
export function noteStart(prefix: Prefix, domain: string): void {
  const entry = readEntry(prefix);
  if (entry?.domain === domain && (entry.seen.in.packets > 0n || entry.seen.out.packets > 0n))
    writeEntry(prefix, { ...entry, seen: NO_TRAFFIC });
}

/** Notes a new owner whose counters go on from the last one's: what they say now is none of its traffic. */
export function beginAt(prefix: Prefix, domain: string, filter: FilterView): void {
  writeEntry(prefix, { domain, total: NO_TRAFFIC, seen: countedOf(prefix, filter) ?? NO_TRAFFIC });
}

/** What the kernel has counted for an address since its domain started. */
export function countedOf(prefix: Prefix, { sets }: FilterView): Traffic | undefined {
  const [counted, sent] = countingSets(prefix.family).map(name => {
    const contents = sets.get(name);
    return contents === undefined || contents === 'unread' ? undefined : contents.get(formatLong(prefix));
  });
  return counted === undefined || sent === undefined ? undefined : { in: counted, out: sent };
}

/** The total of an address with what was counted since it was last added up. */
export function totalOf(entry: Entry | undefined, counted: Traffic | undefined): Traffic {
  const total = entry?.total ?? NO_TRAFFIC;
  if (counted === undefined) return total;
  const seen = entry?.seen ?? NO_TRAFFIC;
  return {
    in: plus(total.in, since(seen.in, counted.in)),
    out: plus(total.out, since(seen.out, counted.out)),
  };
}

/** A counter that is lower than it was has begun anew. */
function since(seen: Counter, counted: Counter): Counter {
  if (counted.packets < seen.packets) return counted;
  return { packets: counted.packets - seen.packets, bytes: counted.bytes - seen.bytes };
}

/** Adds up what was counted. @param over whether the counters are about to go, and begin at zero next time */
export function addUp(prefix: Prefix, domain: string, filter: FilterView, over: boolean): void {
  const counted = countedOf(prefix, filter);
  // The counters are gone, by `nft flush ruleset` say: those that follow them begin at zero.
  if (counted === undefined) {
    noteStart(prefix, domain);
    return;
  }
  const entry = readEntry(prefix);
  const own = entry?.domain === domain ? entry : undefined;
  const seen = over ? NO_TRAFFIC : counted;
  // Of thousands of addresses many had no traffic since.
  if (own !== undefined && alike(own.seen, counted) && alike(own.seen, seen)) return;
  writeEntry(prefix, { domain, total: totalOf(own, counted), seen });
}

const alike = (a: Traffic, b: Traffic): boolean => same(a.in, b.in) && same(a.out, b.out);
const same = (a: Counter, b: Counter): boolean => a.packets === b.packets && a.bytes === b.bytes;
