/** What etcd holds of a cluster, read as a whole. */
import * as v from 'valibot';
import type { Address } from '../model/bridge.ts';
import type { ClusterSettings } from '../model/config.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import type { Reservation } from '../model/reservation.ts';
import type { Answer, Entry } from './answer.ts';
import type { Cluster } from './cluster.ts';
import { addressIn, rootOf, sequenceKey } from './keys.ts';
import {
  claimSchema,
  type Peer,
  type Place,
  peerSchema,
  placeSchema,
  type Run,
  reservationSchema,
  runSchema,
  toPeer,
} from './values.ts';

/** An address that a domain has, somewhere in the cluster. */
export interface Claim extends Pick<Address, 'prefix' | 'bridge' | 'scope'> {
  readonly domain: string;
  readonly name: string;
  readonly entry: Entry;
}

export interface Contents {
  /** The revision at which `claims` are all that there are; 0 where none was ever made. */
  readonly sequence: number;
  readonly claims: readonly Claim[];
  /** By the UUIDs of domains. */
  readonly runs: ReadonlyMap<string, Run & { readonly entry: Entry }>;
  readonly places: ReadonlyMap<string, Place & { readonly entry: Entry }>;
  /** By their names. */
  readonly hosts: ReadonlyMap<string, Peer>;
  readonly reservations: readonly Reservation[];
  /** Keys whose values can't be read, and why; each of them is missing above. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/** All that etcd holds of a cluster. @throws Refusal if etcd doesn't answer */
export const look = ({ settings, etcd }: Pick<Cluster, 'settings' | 'etcd'>): Contents =>
  contentsOf(settings, etcd.read(rootOf(settings)));

export function contentsOf(
  cluster: Pick<ClusterSettings, 'name'>,
  { entries }: Pick<Answer, 'entries'>,
): Contents {
  const unreadable = new Map<string, string>();
  const below = <T>(part: string, read: ReadEntry<T>): T[] =>
    readBelow(`${rootOf(cluster)}${part}/`, entries, read, unreadable);
  return {
    sequence: entries.get(sequenceKey(cluster))?.revision ?? 0,
    claims: below('claims', (_, entry, key) => ({
      ...parsed(claimSchema, entry),
      prefix: addressOf(key),
      entry,
    })),
    runs: new Map(below('runs', (uuid, entry) => [uuid, { ...parsed(runSchema, entry), entry }])),
    places: new Map(below('domains', (uuid, entry) => [uuid, { ...parsed(placeSchema, entry), entry }])),
    hosts: new Map(below('hosts', (host, entry) => [host, toPeer(parsed(peerSchema, entry))])),
    reservations: below('reservations', (_, entry, key) => {
      const { name, since } = parsed(reservationSchema, entry);
      return { address: addressOf(key), name: name ?? undefined, since };
    }),
    unreadable,
  };
}

type ReadEntry<T> = (name: string, entry: Entry, key: string) => T;

/** Reads what lies below a key; what can't be read is set aside with the reason. */
const readBelow = <T>(
  start: string,
  entries: Answer['entries'],
  read: ReadEntry<T>,
  unreadable: Map<string, string>,
): T[] =>
  [...entries]
    .filter(([key]) => key.startsWith(start))
    .flatMap(([key, entry]) => {
      try {
        return [read(key.slice(start.length), entry, key)];
      } catch (error) {
        unreadable.set(key, reason(error));
        return [];
      }
    });

const parsed = <T>(schema: v.GenericSchema<unknown, T>, { value }: Entry): T =>
  v.parse(schema, JSON.parse(value));

function addressOf(key: string): Address['prefix'] {
  const address = addressIn(key);
  if (address === undefined) throw new Refusal('its name holds no address');
  return address;
}

/** Refuses to go by what a key holds that can't be read: who has what isn't guessed. @param concerns which keys matter */
export function refuseUnreadable({ unreadable }: Contents, concerns: (key: string) => boolean): void {
  for (const [key, why] of unreadable)
    if (concerns(key))
      throw new Refusal(
        `Cannot read ${quote(key)} in etcd: ${why}; install a newer hnet, or remove it with etcdctl del`,
      );
}

/** What decides about who gets an address. */
export const holdsClaim = (key: string): boolean => /\/(claims|reservations)\//.test(key);
