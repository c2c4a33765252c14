/** What this host says of itself to its peers. */
import { chooseFirewall } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { readNetworkWithUplinks } from '../host/observe/view.ts';
import { format } from '../model/address.ts';
import type { ClusterSettings, Config } from '../model/config.ts';
import { compare, isLinkLocal, type Prefix } from '../model/prefix.ts';
import { quote, Refusal } from '../model/refusal.ts';
import { hostOn } from '../model/uplink.ts';
import { ownName, wireAddresses } from './self.ts';
import { HOST_NAME, type Peer } from './values.ts';

/** What it can't see by itself. */
export type About = Pick<Peer, 'uuid' | 'version'>;

/** @throws Refusal if its name can't be a key's, or it has no address on the wire */
export function ownRecord(config: Config, cluster: ClusterSettings, about: About, host: Host): Peer {
  const name = ownName(cluster);
  if (!HOST_NAME.test(name))
    throw new Refusal(
      `Cannot call this host ${quote(name)} in the cluster: it isn't a host name; set "host" in hnet.toml`,
    );
  const { view, uplinks } = readNetworkWithUplinks(host, config);
  const wire = wireAddresses(cluster, view);
  if (wire.length === 0)
    throw new Refusal(
      `Cannot reach other hosts by ${cluster.wire}: it has no address; give it one, or set "address" in hnet.toml`,
    );
  return {
    host: name,
    wire,
    uplinks: uplinks.flatMap(hostOn).filter(one => !isLinkLocal(one)),
    filter: chooseFirewall(config).name,
    pools: listed(config.pools),
    scopes: listed(config.dhcp.scopes),
    ...about,
  };
}

const listed = (prefixes: readonly Prefix[]): string => [...prefixes].sort(compare).map(format).join(', ');

/** In which respect hosts differ that must be alike, a sentence each. */
export function differencesAmong(peers: readonly Peer[]): string[] {
  const [first, ...others] = peers;
  if (first === undefined) return [];
  return others.flatMap(one =>
    (['pools', 'scopes', 'filter', 'version'] as const)
      .filter(key => one[key] !== first[key])
      .map(
        key =>
          `${WORDS[key]} of ${one.host} differ${key === 'filter' || key === 'version' ? 's' : ''} from ${first.host}'s: ${one[key]}, and ${first[key]}`,
      ),
  );
}

const WORDS = { pools: 'the pools', scopes: 'the scopes', filter: 'the filter', version: "hnet's version" };
