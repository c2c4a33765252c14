/** What a start asks of the cluster: etcd's leave, or where etcd is silent this host's own memory. */
import type { Host } from '../host/host.ts';
import { toRouteAnswers } from '../host/observe/ip.ts';
import { about, allFound } from '../host/query.ts';
import { format } from '../model/address.ts';
import { ROUTE_PROTOCOL } from '../model/names.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import type { Cluster } from './cluster.ts';
import { isHeld } from './held.ts';
import { admitRun, type Start, type Starting, withdrawRun } from './runs.ts';
import { SilentRefusal } from './silence.ts';
import type { Run } from './values.ts';

/**
 * Admits a domain that is about to start here.
 * @returns what was noted in etcd; undefined where etcd is silent, and this host ran the domain last
 * @throws Refusal if it may run elsewhere, or another domain has what it would get
 */
export function enter(cluster: Cluster, domain: Starting, start: Start, host: Host): Run | undefined {
  try {
    return admitRun(cluster, domain, start);
  } catch (error) {
    if (!(error instanceof SilentRefusal)) throw error;
    refuseOffline(cluster, domain, error.message, host);
    host.warnings.push(`${error.message}; ${quote(domain.name)} starts, for this host ran it last`);
    return undefined;
  }
}

/** Takes back what {@link enter} noted, after a start that has failed. If etcd is silent, the daemon does it later. */
export function retreat(
  cluster: Cluster,
  { uuid }: Pick<Starting, 'uuid'>,
  run: Run | undefined,
  host: Host,
): void {
  if (run === undefined) return;
  try {
    withdrawRun(cluster, uuid, run);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    host.warnings.push(reason(error));
  }
}

/** While etcd is silent a domain starts only if no other host can have started it since. */
function refuseOffline({ settings }: Cluster, domain: Starting, why: string, host: Host): void {
  if (settings.offline === 'refuse')
    throw new Refusal(`${why}; nothing starts until it does (offline = "refuse" in hnet.toml)`);
  if (!isHeld(domain.uuid))
    throw new Refusal(`${why}, and another host may run it: this one didn't run it last`);
  const [route] = routesOfOthers(domain, host);
  if (route !== undefined)
    throw new Refusal(`${why}, and a peer has ${route.dst}, by the route via ${route.gateway ?? route.dev}`);
}

/** Routes to exactly its addresses that aren't ours: those that BIRD has from peers. */
function routesOfOthers({ addresses }: Starting, host: Host) {
  const { routes } = host.query({
    routes: about(
      addresses.map(({ prefix }) => format(prefix)),
      address => `route show exact ${address}`,
    ),
  });
  return toRouteAnswers(allFound(routes)).filter(
    ({ protocol, type = 'unicast' }) => protocol !== String(ROUTE_PROTOCOL) && type === 'unicast',
  );
}
