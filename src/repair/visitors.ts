/** Whether a new configuration would cut off who is connected to the host, found out before anything of it is applied. */
import type { Host } from '../host/host.ts';
import { toRouteAnswers } from '../host/observe/ip.ts';
import { observeUplinks } from '../host/observe/uplink.ts';
import { about } from '../host/query.ts';
import { sshPeers } from '../host/ssh-peers.ts';
import { format } from '../model/address.ts';
import type { Config } from '../model/config.ts';
import { closedRanges } from '../model/fit.ts';
import { contains, type Prefix } from '../model/prefix.ts';
import type { Refusal } from '../model/refusal.ts';

/**
 * What to say of a range that holds who is connected by SSH; undefined where nobody would be cut off.
 * @throws Refusal where the uplinks can't be found
 */
export function refusalFor(host: Host, config: Config): Refusal | undefined {
  const ranges = closedRanges(config);
  const held = sshPeers(host).filter(peer => ranges.some(({ range }) => contains(range, peer)));
  if (held.length === 0) return undefined;
  const [peer] = fromOutside(held, host, config);
  const closed = ranges.find(({ range }) => peer !== undefined && contains(range, peer));
  if (peer === undefined || closed === undefined) return undefined;
  const why = `it holds ${format(peer)}, which is connected to this host by SSH and would be cut off`;
  return config.fault(closed.path, format(closed.range), why);
}

/**
 * Those that come by an uplink: a domain's connection comes by its bridge. On the wire of an IPv4 uplink others have addresses
 * beside those of domains, and are let in.
 */
function fromOutside(peers: readonly Prefix[], host: Host, config: Config): Prefix[] {
  const devices = observeUplinks(host, config).map(({ device }) => device);
  const { routes } = host.query({ routes: about(peers, peer => `route get ${format(peer)}`) });
  return peers.filter(peer => {
    const [route] = toRouteAnswers(routes.get(peer)?.found ?? []);
    const isNeighbour = peer.family === 4 && route?.gateway === undefined;
    return devices.includes(route?.dev ?? '') && !isNeighbour;
  });
}
