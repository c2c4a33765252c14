/**
 * What a release that is a script (src/lifecycle/release-script.ts) counted, in a file beside the address's ledger entry: the
 * domain, what the filter's tool printed, and `end`, that it is all. Whoever reads the ledger next adds it up.
 */
import { existsSync, statSync } from 'node:fs';
import { countingSets } from '../firewall/rules/sets.ts';
import { readIfThere } from '../host/files.ts';
import { dashed, format } from '../model/address.ts';
import type { Counter } from '../model/counter.ts';
import { isUuid, STATE_DIRECTORY } from '../model/names.ts';
import type { Prefix } from '../model/prefix.ts';
import type { Traffic } from '../model/traffic.ts';

export const tallyFile = (prefix: Prefix): string => `${STATE_DIRECTORY}/addresses/${dashed(prefix)}.tally`;

/** The tally of an address, and the month in which it was written; undefined if there is none, or it isn't whole. */
export function readTally(prefix: Prefix): { domain: string; counted: Traffic; month: string } | undefined {
  const file = tallyFile(prefix);
  // There seldom is one, and to find that out by failing to read it takes five times as long.
  if (!existsSync(file)) return undefined;
  const tally = parseTally(prefix, readIfThere(file) ?? '');
  return tally && { ...tally, month: statSync(file).mtime.toISOString().slice(0, 7) };
}

/** What a tally says; undefined if it isn't whole. */
export function parseTally(prefix: Prefix, text: string): { domain: string; counted: Traffic } | undefined {
  const [, domain = '', printed = ''] = /^(\S+)\n(.*)\nend\n$/s.exec(text) ?? [];
  const [received, sent] = countingSets(prefix.family).map(name => countIn(printed, name, prefix));
  if (!isUuid(domain) || received === undefined || sent === undefined) return undefined;
  return { domain, counted: { in: received, out: sent } };
}

/** In both tools' words: `add SET PREFIX packets N bytes N`, and `set SET { … { PREFIX counter packets N bytes N`. */
function countIn(printed: string, set: string, prefix: Prefix): Counter | undefined {
  const entry = `(?:add ${set}|set ${set} {[^{}]*{) ${format(prefix).replaceAll('.', '\\.')}`;
  const found = new RegExp(`${entry} (?:counter )?packets (\\d+) bytes (\\d+)`).exec(printed);
  return found === null ? undefined : { packets: BigInt(found[1] ?? 0), bytes: BigInt(found[2] ?? 0) };
}
