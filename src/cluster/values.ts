/** What stands at the keys in etcd. Values from peers are read here, and refused here. */
import * as v from 'valibot';
import { format, parsePrefix } from '../model/address.ts';
import type { Address } from '../model/bridge.ts';
import { INTERFACE_NAME, isUuid } from '../model/names.ts';
import type { Prefix } from '../model/prefix.ts';
import { ifPossible } from '../model/refusal.ts';
import type { Reservation } from '../model/reservation.ts';

const prefix = v.pipe(v.string(), v.transform(parsePrefix));
const uuid = v.pipe(v.string(), v.check(isUuid, 'it is no UUID'));
/** As it comes into etcd's keys and into paths. */
export const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/;
const hostName = v.pipe(v.string(), v.regex(HOST_NAME));

/** Who has an address, and what was chosen with it. */
export const claimSchema = v.object({
  domain: uuid,
  name: v.string(),
  bridge: v.pipe(v.string(), v.regex(INTERFACE_NAME)),
  scope: prefix,
});

/** The text is the same wherever it is made, for a start compares it. */
export const claimText = (
  { bridge, scope }: Pick<Address, 'bridge' | 'scope'>,
  { uuid: domain, name }: Named,
): string => JSON.stringify({ domain, name, bridge, scope: format(scope) });

/** A domain. */
export interface Named {
  readonly uuid: string;
  readonly name: string;
}

/** Where a domain runs. */
export const runSchema = v.object({
  host: hostName,
  /** The boot ID of that host's kernel. */
  boot: v.string(),
  /** Of each start another. */
  start: v.string(),
  /** The host to which it is on its way. */
  to: v.exactOptional(hostName),
});
export type Run = Readonly<v.InferOutput<typeof runSchema>>;

export const runText = ({ host, boot, start, to }: Run): string =>
  JSON.stringify({ host, boot, start, ...(to && { to }) });

/** The host of a run's text; undefined where that can't be read. */
export const hostIn = (text: string): string | undefined =>
  ifPossible(() => v.parse(runSchema, JSON.parse(text)).host);

/** Where a domain is defined. */
export const placeSchema = v.object({ host: hostName, name: v.string() });
export type Place = Readonly<v.InferOutput<typeof placeSchema>>;

export const placeText = ({ host, name }: Place): string => JSON.stringify({ host, name });

export const reservationSchema = v.object({ name: v.nullable(v.string()), since: v.string() });
export const reservationText = ({ name, since }: Reservation): string =>
  JSON.stringify({ name: name ?? null, since });

/** What a host says of itself. */
export interface Peer {
  readonly host: string;
  /** Its addresses on the wire. */
  readonly wire: readonly Prefix[];
  /** Its own addresses on its uplinks, which its domains may have as their gateway. */
  readonly uplinks: readonly Prefix[];
  /** libvirt's UUID of the host; undefined where nobody could ask. */
  readonly uuid: string | undefined;
  /** Its hnet's version. */
  readonly version: string;
  readonly filter: string;
  /** What all hosts of a cluster must have alike, each as a text that people can compare. */
  readonly pools: string;
  readonly scopes: string;
}

export const peerSchema = v.object({
  host: hostName,
  wire: v.array(prefix),
  uplinks: v.array(prefix),
  uuid: v.nullable(v.string()),
  version: v.string(),
  filter: v.string(),
  pools: v.string(),
  scopes: v.string(),
});

export const toPeer = ({ uuid, ...rest }: v.InferOutput<typeof peerSchema>): Peer => ({
  ...rest,
  uuid: uuid ?? undefined,
});

export const peerValue = ({ host, wire, uplinks, uuid, version, filter, pools, scopes }: Peer) => ({
  host,
  wire: wire.map(format),
  uplinks: uplinks.map(format),
  uuid: uuid ?? null,
  version,
  filter,
  pools,
  scopes,
});
