/** What etcd holds of a cluster, read as a whole. */
import * as v from 'valibot';
import type { Address } from '../model/bridge.ts';
import type { ClusterSettings } from '../model/config.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import type { Reservation } from '../model/reservation.ts';
import type { Answer, Entry } from './answer.ts';
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
}

/** @throws Refusal that names the key whose value can't be read: who has what isn't guessed */
export function contentsOf(
  cluster: Pick<ClusterSettings, 'name'>,
  { entries }: Pick<Answer, 'entries'>,
): Contents {
  const below = <T>(part: string, read: (name: string, entry: Entry, key: string) => T): T[] => {
    const start = `${rootOf(cluster)}${part}/`;
    return [...entries]
      .filter(([key]) => key.startsWith(start))
      .map(([key, entry]) => readable(key, () => read(key.slice(start.length), entry, key)));
  };
  return {
    sequence: entries.get(sequenceKey(cluster))?.revision ?? 0,
    claims: below('claims', (_, entry, key) => {
      const { domain, name, bridge, scope } = v.parse(claimSchema, JSON.parse(entry.value));
      return { prefix: addressOf(key), domain, name, bridge, scope, entry };
    }),
    runs: new Map(
      below('runs', (uuid, entry) => [uuid, { ...v.parse(runSchema, JSON.parse(entry.value)), entry }]),
    ),
    places: new Map(
      below('domains', (uuid, entry) => [uuid, { ...v.parse(placeSchema, JSON.parse(entry.value)), entry }]),
    ),
    hosts: new Map(below('hosts', (host, entry) => [host, readPeer(entry.value)])),
    reservations: below('reservations', (_, entry, key) => {
      const { name, since } = v.parse(reservationSchema, JSON.parse(entry.value));
      return { address: addressOf(key), name: name ?? undefined, since };
    }),
  };
}

export const readPeer = (text: string): Peer => toPeer(v.parse(peerSchema, JSON.parse(text)));

function addressOf(key: string): Address['prefix'] {
  const address = addressIn(key);
  if (address === undefined) throw new Refusal('its name holds no address');
  return address;
}

function readable<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Refusal(
      `Cannot read ${quote(key)} in etcd: ${reason(error)}; install a newer hnet, or remove it with etcdctl del`,
    );
  }
}
