/** What this host keeps right in etcd about its own domains. */
import { chunks } from './claims.ts';
import type { Cluster } from './cluster.ts';
import type { Contents } from './contents.ts';
import { letGo, noteHeld } from './held.ts';
import { placeKey, runKey } from './keys.ts';
import { placeText, runText } from './values.ts';

interface Named {
  readonly uuid: string;
  readonly name: string;
}

/** A domain that runs here, and on another host by etcd's word. */
export interface Twin extends Named {
  readonly host: string;
}

/** What was put right. */
export interface Settled {
  readonly noted: readonly Named[];
  readonly ended: readonly string[];
  readonly twins: readonly Twin[];
}

/**
 * Notes what runs here and isn't noted, those that have arrived too, and forgets what runs here no more.
 * @param seen read before it was looked what runs: a start that came in between has another value, which stays
 * @param running what runs here, and is on no way
 * @param isHere whether a domain has anything here: what comes or leaves too
 */
export function settleRuns(
  { settings, self, etcd }: Cluster,
  seen: Pick<Contents, 'runs'>,
  running: readonly Named[],
  isHere: (uuid: string) => boolean,
  start: { readonly boot: string; readonly start: string },
): Settled {
  const noted = running.filter(({ uuid }) => {
    const run = seen.runs.get(uuid);
    if (run !== undefined && run.host === self) return false;
    if (run !== undefined && run.to !== self) return false;
    const { succeeded } = etcd.transact({
      compare: [{ key: runKey(settings, uuid), revision: run?.entry.revision ?? 0 }],
      success: [{ put: runKey(settings, uuid), value: runText({ host: self, ...start }) }],
      failure: [],
    });
    return succeeded;
  });
  for (const { uuid, name } of running) if (seen.runs.get(uuid)?.host === self) noteHeld(uuid, name);
  for (const { uuid, name } of noted) noteHeld(uuid, name);
  const ended = [...seen.runs].filter(([uuid, { host }]) => host === self && !isHere(uuid));
  for (const [uuid, { entry }] of ended) {
    const key = runKey(settings, uuid);
    etcd.transact({ compare: [{ key, value: entry.value }], success: [{ delete: key }], failure: [] });
  }
  for (const [uuid, { host }] of seen.runs) if (host !== self && !isHere(uuid)) letGo(uuid);
  const twins = running.flatMap(one => {
    const run = seen.runs.get(one.uuid);
    return run === undefined || run.host === self || run.to === self ? [] : [{ ...one, host: run.host }];
  });
  return { noted, ended: ended.map(([uuid]) => uuid), twins };
}

/**
 * Notes which domains are defined here: those that nobody else has noted, and those that run here.
 * @param defined all that have an address
 * @param isRunning whether a domain runs here
 */
export function settlePlaces(
  { settings, self, etcd }: Cluster,
  seen: Pick<Contents, 'places' | 'runs'>,
  defined: readonly Named[],
  isRunning: (uuid: string) => boolean,
): void {
  const missing = defined.filter(({ uuid, name }) => {
    const place = seen.places.get(uuid);
    if (place === undefined) return true;
    return (
      (place.host === self ? place.name !== name : isRunning(uuid)) && seen.runs.get(uuid)?.host === self
    );
  });
  const own = new Set(defined.map(({ uuid }) => uuid));
  const gone = [...seen.places].filter(([uuid, { host }]) => host === self && !own.has(uuid));
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
  for (const some of chunks(gone))
    etcd.transact({
      compare: some.map(([uuid, { entry }]) => ({ key: placeKey(settings, uuid), revision: entry.revision })),
      success: some.map(([uuid]) => ({ delete: placeKey(settings, uuid) })),
      failure: [],
    });
}
