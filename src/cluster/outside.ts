/** Which pools this host has asked the provider for by `command`. */
import * as v from 'valibot';
import { readIfThere, writeAtomically } from '../host/files.ts';
import { format, parsePrefix } from '../model/address.ts';
import { RUN_CLUSTER } from '../model/names.ts';
import type { Prefix } from '../model/prefix.ts';
import { readJsonFile } from '../state/json-file.ts';

const OUTSIDE_FILE = `${RUN_CLUSTER}/outside.json`;

/** A pool of which a domain of this host has addresses. */
export interface Told {
  readonly pool: Prefix;
  /** Whether the command has succeeded; until then the old host relays packets. */
  readonly isFollowed: boolean;
  /** When a domain came here with it, in ISO 8601. */
  readonly since: string;
  /** How often the command has failed, and what it said last. */
  readonly failures: number;
  readonly why?: string;
}

const schema = v.object({
  version: v.literal(1),
  pools: v.array(
    v.object({
      pool: v.pipe(v.string(), v.transform(parsePrefix)),
      isFollowed: v.boolean(),
      since: v.string(),
      failures: v.number(),
      why: v.exactOptional(v.string()),
    }),
  ),
});

/** None if the file is missing or can't be read: then everything is told again, which does no harm. */
export const readOutside = (): Told[] => readJsonFile(OUTSIDE_FILE, schema)?.pools ?? [];

/** The follower calls it every other second: a file that says so already isn't written. */
export function writeOutside(all: readonly Told[]): void {
  const pools = all.map(one => ({ ...one, pool: format(one.pool) }));
  const text = `${JSON.stringify({ version: 1, pools }, null, 2)}\n`;
  if (readIfThere(OUTSIDE_FILE) !== text) writeAtomically(OUTSIDE_FILE, text);
}

/** A sentence about a pool that isn't followed yet. */
export const outsideWords = ({ pool, since, failures, why }: Told): string =>
  `the outside has not followed ${format(pool)} yet: ${failures === 0 ? `the command has been running since ${since}` : `the command failed ${failures === 1 ? 'once' : `${failures} times`} since ${since}, at last with ${why}`}`;
