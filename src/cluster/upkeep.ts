/** What this host keeps right in etcd about its own domains. */
import type { Entry } from './answer.ts';
import { chunks, deleteSeen } from './at-once.ts';
import type { Cluster } from './cluster.ts';
import type { Contents } from './contents.ts';
import { letGo, noteHeld } from './held.ts';
import { placeKey, runKey } from './keys.ts';
import type { Start } from './runs.ts';
import { type Named, placeText, type Run, runText } from './values.ts';

/** A domain that is here, and runs on another host by etcd's word. */
export interface Twin extends Named {
  readonly host: string;
  /** Whether it runs here too, or is what libvirt has left of it after a move. */
  readonly is: 'running' | 'left';
}

/** What was put right. */
interface Settled {
  readonly noted: readonly Named[];
  readonly ended: readonly string[];
  readonly twins: readonly Twin[];
}

/** What of a host's domains is here. */
export interface Here {
  /** Runs here and isn't migrating. */
  readonly running: readonly Named[];
  /** Left so long ago that libvirt should have ended it here. */
  readonly left: readonly Named[];
  /** Whether anything of a domain is here, or is expected: also while it migrates either way. */
  readonly isHere: (uuid: string) => boolean;
  /** Whether a domain that runs here is being migrated away. Asks libvirt, after everything else was read. */
  readonly isMoved: (uuid: string) => boolean;
}

/**
 * Notes in etcd what runs here, arrivals too, and removes the runs of what has ended here or didn't arrive.
 * @param seen read before this host was examined: a start that came in between has written another value, which stays
 * @param isOver whether to stop waiting for the destination to note that a domain has arrived
 */
export function settleRuns(
  cluster: Cluster,
  seen: Pick<Contents, 'runs'>,
  here: Here,
  start: Start,
  isOver: (uuid: string, to: string) => boolean = () => true,
): Settled {
  const { self } = cluster;
  const noted = here.running.filter(({ uuid }) => {
    const run = seen.runs.get(uuid);
    const isOurs = run === undefined || (run.host !== self && run.to === self);
    return isOurs && change(cluster, uuid, run, runText({ host: self, ...start }));
  });
  settleStayed(cluster, seen, here);
  for (const { uuid, name } of here.running) {
    const isOwn = seen.runs.get(uuid)?.host === self || noted.some(one => one.uuid === uuid);
    if (isOwn) noteHeld(uuid, name);
  }
  const ended = settleEnded(cluster, seen, here, isOver);
  const twins = [
    ...twinsAmong(here.running, 'running', self, seen),
    ...twinsAmong(here.left, 'left', self, seen),
  ];
  return { noted, ended, twins };
}

/** Takes the destination out of the run of a domain whose move came to nothing. */
function settleStayed(cluster: Cluster, { runs }: Pick<Contents, 'runs'>, { running, isMoved }: Here): void {
  for (const { uuid } of running) {
    const run = runs.get(uuid);
    if (run?.host === cluster.self && run.to !== undefined && !isMoved(uuid))
      change(cluster, uuid, run, stayText(run));
  }
}

/** Removes the runs of domains that have ended here. @returns their UUIDs */
function settleEnded(
  cluster: Cluster,
  { runs }: Pick<Contents, 'runs'>,
  { isHere }: Here,
  isOver: (uuid: string, to: string) => boolean,
): string[] {
  const ended = [...runs].filter(([uuid, run]) => {
    if (isHere(uuid)) return false;
    if (run.host === cluster.self)
      return (run.to === undefined || isOver(uuid, run.to)) && change(cluster, uuid, run, undefined);
    letGo(uuid);
    if (run.to === cluster.self) change(cluster, uuid, run, stayText(run));
    return false;
  });
  return ended.map(([uuid]) => uuid);
}

const twinsAmong = (
  domains: readonly Named[],
  is: Twin['is'],
  self: string,
  { runs }: Pick<Contents, 'runs'>,
): Twin[] =>
  domains.flatMap(one => {
    const run = runs.get(one.uuid);
    return run === undefined || run.host === self || run.to === self ? [] : [{ ...one, host: run.host, is }];
  });

/** A run without its destination: the domain stays. */
const stayText = ({ to: _, ...run }: Run): string => runText(run);

/** Changes a run from what was seen. @returns whether it is so now */
function change(
  { settings, etcd }: Cluster,
  uuid: string,
  run: { readonly entry: Entry } | undefined,
  value: string | undefined,
): boolean {
  const key = runKey(settings, uuid);
  const { succeeded } = etcd.transact({
    // By revision: a move that has begun again writes the same text.
    compare: [{ key, revision: run?.entry.revision ?? 0 }],
    success: [value === undefined ? { delete: key } : { put: key, value }],
    failure: [],
  });
  return succeeded;
}

/**
 * Notes which domains are defined here: those that nobody else has noted, and those that run here.
 * @param defined all that have an address
 * @param isRunning whether a domain runs here
 */
export function settlePlaces(
  cluster: Cluster,
  seen: Pick<Contents, 'places' | 'runs'>,
  defined: readonly Named[],
  isRunning: (uuid: string) => boolean,
): void {
  const { settings, self, etcd } = cluster;
  const missing = defined.filter(({ uuid, name }) => {
    const place = seen.places.get(uuid);
    if (place === undefined) return true;
    return (
      (place.host === self ? place.name !== name : isRunning(uuid)) && seen.runs.get(uuid)?.host === self
    );
  });
  for (const some of chunks(missing))
    etcd.transact({
      compare: some.map(({ uuid }) => ({
        key: placeKey(settings, uuid),
        revision: seen.places.get(uuid)?.entry.revision ?? 0,
      })),
      success: some.map(({ uuid, name }) => ({
        put: placeKey(settings, uuid),
        value: placeText({ host: self, name }),
      })),
      failure: [],
    });
  const own = new Set(defined.map(({ uuid }) => uuid));
  forgetPlaces(cluster, seen, uuid => own.has(uuid));
}

/** Notes what is defined here, has addresses, and is defined on no other host by etcd's word: it may have been moved by hand. */
export function adoptPlaces(
  { settings, self, etcd }: Cluster,
  { places, claims }: Pick<Contents, 'places' | 'claims'>,
  isDefined: (uuid: string) => boolean,
): void {
  const names = new Map(claims.map(({ domain, name }) => [domain, name]));
  const orphans = [...names].filter(([uuid]) => !places.has(uuid) && isDefined(uuid));
  for (const some of chunks(orphans))
    etcd.transact({
      compare: some.map(([uuid]) => ({ key: placeKey(settings, uuid), revision: 0 })),
      success: some.map(([uuid, name]) => ({
        put: placeKey(settings, uuid),
        value: placeText({ host: self, name }),
      })),
      failure: [],
    });
}

/** Forgets that domains are defined here that aren't any more. */
export function forgetPlaces(
  cluster: Cluster,
  { places }: Pick<Contents, 'places'>,
  isDefined: (uuid: string) => boolean,
): void {
  const { settings, self } = cluster;
  const gone = [...places].filter(([uuid, { host }]) => host === self && !isDefined(uuid));
  deleteSeen(
    cluster,
    gone.map(([uuid, { entry }]) => ({ key: placeKey(settings, uuid), revision: entry.revision })),
  );
}
