/**
 * What hnet remembers of an address beyond a reboot: who had it last, and how much traffic it had. One small file each, so
 * that a release costs the same with 4,000 addresses as with one.
 */
import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { countedOf } from '../firewall/rules/counted.ts';
import { namesIn, readIfThere, removeWhole, writeAtomically } from '../host/files.ts';
import { dashed, parsePrefix } from '../model/address.ts';
import { exactJson } from '../model/json.ts';
import { STATE_DIRECTORY } from '../model/names.ts';
import type { Prefix } from '../model/prefix.ts';
import { ifPossible, reason } from '../model/refusal.ts';
import { credited, grown, isSame, NO_TRAFFIC, type Traffic } from '../model/traffic.ts';
import { NewerRefusal, refuseNewer } from '../model/version.ts';
import type { FilterView } from '../model/view.ts';
import { readJsonFile } from './json-file.ts';
import { readTally, tallyFile } from './tally.ts';

const count = v.pipe(v.string(), v.toBigint());
const counter = v.object({ packets: count, bytes: count });
const traffic = v.object({ in: counter, out: counter });
const VERSION = 2;

const schema = v.object({
  /** Version 0.1 wrote none, and no months. */
  version: v.exactOptional(v.literal(VERSION)),
  /** UUID of the domain that holds, or held, the address. */
  domain: v.string(),
  /** All traffic of this domain's, up to what `seen` says. */
  total: traffic,
  /** What the kernel's counters said when they were added last; they begin at zero with every run. */
  seen: traffic,
  /** The traffic of each month, of all domains that had the address; since version 0.2. */
  months: v.exactOptional(v.record(v.string(), v.record(v.string(), traffic))),
});

export type Account = Readonly<v.InferOutput<typeof schema>>;
/** What changes of an account; its months follow from it. */
type Change = Pick<Account, 'domain' | 'total' | 'seen'>;

const DIRECTORY = `${STATE_DIRECTORY}/addresses`;
const fileOf = (prefix: Prefix): string => `${DIRECTORY}/${dashed(prefix)}.json`;

/** What is remembered of an address; nothing, where the file is damaged: counters are no reason to fail. */
export function readAccount(prefix: Prefix): Account | undefined {
  const account = readJsonFile(fileOf(prefix), schema);
  const tally = ifPossible(() => readTally(prefix));
  if (tally === undefined) return account;
  const { domain, counted, month } = tally;
  const total = totalOf(ownOf(account, domain), counted);
  return changed(account, { domain, total, seen: counted }, month);
}

const ownOf = (account: Account | undefined, domain: string): Account | undefined =>
  account?.domain === domain ? account : undefined;

/** An account after a change: what its domain's total has grown by is the month's. */
function changed(before: Account | undefined, change: Change, month: string): Account {
  const { domain, total } = change;
  const known = ownOf(before, domain)?.total ?? NO_TRAFFIC;
  return { version: VERSION, ...change, months: credited(before?.months ?? {}, month, domain, known, total) };
}

const thisMonth = (): string => new Date().toISOString().slice(0, 7);

function writeAccount(prefix: Prefix, change: Change, before = readAccount(prefix)): void {
  // A tally is written as `seen` first: so it counts once, though this process be killed before the file is gone.
  if (existsSync(tallyFile(prefix))) {
    if (before !== undefined) write(prefix, before);
    removeWhole(tallyFile(prefix));
  }
  write(prefix, changed(before, change, thisMonth()));
}

/** What a newer hnet has written stays, and is not counted on. */
function write(prefix: Prefix, account: Account): void {
  if (newerAccount(prefix) === undefined) writeAtomically(fileOf(prefix), `${exactJson(account)}\n`);
}

/** Why an account isn't read, if a newer hnet wrote it. */
function newerAccount(prefix: Prefix): string | undefined {
  try {
    refuseNewer(JSON.parse(readIfThere(fileOf(prefix)) ?? 'null'), VERSION);
    return undefined;
  } catch (error) {
    return error instanceof NewerRefusal ? `Cannot read ${fileOf(prefix)}: ${reason(error)}` : undefined;
  }
}

/** Notes who has the address from now on; the new owner's total begins at zero. */
export const noteOwner = (prefix: Prefix, domain: string): void =>
  writeAccount(prefix, { domain, total: NO_TRAFFIC, seen: NO_TRAFFIC });

/** Notes that the kernel's counters begin anew, for a domain that has had the address before. */
export function noteStart(prefix: Prefix, domain: string): void {
  const own = ownOf(readAccount(prefix), domain);
  if (own !== undefined && (own.seen.in.packets > 0n || own.seen.out.packets > 0n))
    writeAccount(prefix, { ...own, seen: NO_TRAFFIC }, own);
}

/** Notes a new owner whose counters go on from the last one's: what they say now is none of its traffic. */
export const beginAt = (prefix: Prefix, domain: string, filter: FilterView): void =>
  writeAccount(prefix, { domain, total: NO_TRAFFIC, seen: countedOf(prefix, filter) ?? NO_TRAFFIC });

/** The total of an address with what was counted since it was last added up. */
export function totalOf(account: Account | undefined, counted: Traffic | undefined): Traffic {
  const total = account?.total ?? NO_TRAFFIC;
  return counted === undefined ? total : grown(total, account?.seen ?? NO_TRAFFIC, counted);
}

/** Adds up what was counted. @param over whether the counters are about to go, and begin at zero next time */
export function addUp(prefix: Prefix, domain: string, filter: FilterView, over: boolean): void {
  const counted = countedOf(prefix, filter);
  // The counters are gone, by `nft flush ruleset` say: those that follow them begin at zero.
  if (counted === undefined) {
    noteStart(prefix, domain);
    return;
  }
  const account = readAccount(prefix);
  const own = ownOf(account, domain);
  const seen = over ? NO_TRAFFIC : counted;
  // Of thousands of addresses many had no traffic since.
  if (own !== undefined && isSame(own.seen, counted) && isSame(own.seen, seen)) return;
  writeAccount(prefix, { domain, total: totalOf(own, counted), seen }, account);
}

/** The traffic of an address in a month, of one of the domains that had it then. */
interface MonthlyTraffic {
  readonly month: string;
  readonly address: Prefix;
  /** Its UUID. */
  readonly domain: string;
  readonly traffic: Traffic;
}

/** The traffic of all addresses by months, with what was counted since it was last added up. */
export const trafficByMonth = (filter: FilterView): MonthlyTraffic[] =>
  accounts().flatMap(([address, account]) => {
    const total = totalOf(account, countedOf(address, filter));
    const { months = {} } = changed(account, { ...account, total }, thisMonth());
    return Object.entries(months).flatMap(([month, domains]) =>
      Object.entries(domains).map(([domain, traffic]) => ({ month, address, domain, traffic })),
    );
  });

/** Forgets the traffic of the months before one. */
export function endMonths(first: string): void {
  for (const [prefix, { months = {}, ...account }] of accounts()) {
    const kept = Object.entries(months).filter(([month]) => month >= first);
    if (kept.length < Object.keys(months).length)
      write(prefix, { ...account, months: Object.fromEntries(kept) });
  }
}

/** The addresses that ever had an account. */
const accounted = (): Prefix[] =>
  [...new Set(namesIn(DIRECTORY).map(name => name.replace(/\.(json|tally)$/, '')))].flatMap(
    name => ifPossible(() => parsePrefix(name.replace(/-(\d+)$/, '/$1'))) ?? [],
  );

const accounts = (): [Prefix, Account][] =>
  accounted().flatMap(prefix => {
    const account = readAccount(prefix);
    return account ? [[prefix, account]] : [];
  });

/** A sentence for each account that isn't read because a newer hnet wrote it. */
export const newerAccounts = (): string[] => accounted().flatMap(prefix => newerAccount(prefix) ?? []);
