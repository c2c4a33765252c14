/** The names of keys in etcd, all below `/hnet/<cluster>/`. */

import { addressClaim, claimedAddress } from '../model/claim-name.ts';
import type { ClusterSettings } from '../model/config.ts';
import { isUuid } from '../model/names.ts';
import type { Prefix } from '../model/prefix.ts';

type Named = Pick<ClusterSettings, 'name'>;

export const rootOf = ({ name }: Named): string => `/hnet/${name}/`;

/** An address, and the domain that has it. */
export const claimKey = (cluster: Named, address: Prefix): string =>
  `${rootOf(cluster)}claims/${addressClaim(address)}`;

/** Written with every claim: whoever chose while this stayed as it was has seen all that there is. */
export const sequenceKey = (cluster: Named): string => `${rootOf(cluster)}claims-seq`;

/** On which host a domain runs. */
export const runKey = (cluster: Named, uuid: string): string => `${rootOf(cluster)}runs/${uuid}`;

/** The domain of a run's key; undefined if it is another key. */
export function runIn(cluster: Named, key: string): string | undefined {
  const start = runKey(cluster, '');
  const uuid = key.slice(start.length);
  return key.startsWith(start) && isUuid(uuid) ? uuid : undefined;
}

/** On which host a domain is defined, running or not. */
export const placeKey = (cluster: Named, uuid: string): string => `${rootOf(cluster)}domains/${uuid}`;

/** The flows of a domain that is on its way to another host; the key goes with its lease. */
export const flowKey = (cluster: Named, uuid: string): string => `${rootOf(cluster)}flows/${uuid}`;

/** A host that is up; the key goes with its lease. */
export const hostKey = (cluster: Named, host: string): string => `${hostsOf(cluster)}${host}`;
export const hostsOf = (cluster: Named): string => `${rootOf(cluster)}hosts/`;

export const reservationKey = (cluster: Named, address: Prefix): string =>
  `${rootOf(cluster)}reservations/${addressClaim(address)}`;

/** The address of a key's last part; undefined if it is none. */
export const addressIn = (key: string): Prefix | undefined =>
  claimedAddress(key.slice(key.lastIndexOf('/') + 1));
