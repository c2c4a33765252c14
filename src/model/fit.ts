/** Whether the configuration's ranges fit each other and the host: one that would cut it off is refused. */
import { format } from './address.ts';
import type { Config } from './config.ts';
import { contains, overlaps, type Prefix } from './prefix.ts';

/** @throws Refusal for ranges that overlap, or hold what the configuration says of the host and the gateways */
export function refuseBadRanges(config: Config): void {
  const { uplinks, dhcp, fault } = config;
  refuseHostInRanges(
    config,
    uplinks.flatMap(({ addresses, gateways }) => [...addresses, ...gateways]),
  );
  const earlier: Prefix[] = [];
  for (const { path, pools } of uplinks)
    for (const pool of pools) {
      const bad = (why: string) => fault([...path, 'pools'], format(pool), why);
      const twin = earlier.find(one => overlaps(one, pool));
      if (twin !== undefined) throw bad(`overlaps the pool ${format(twin)}`);
      const scope = dhcp.scopes.find(range => overlaps(range, pool));
      if (scope !== undefined) throw bad(`overlaps the bootstrap scopes ${format(scope)}`);
      earlier.push(pool);
    }
}

/** A range from which nobody outside can reach the host: what comes by an uplink under its addresses is dropped as forged. */
export interface ClosedRange {
  readonly path: readonly string[];
  readonly range: Prefix;
}

/** In a cluster the domains of other hosts have addresses of the pools, and may call this one. */
export const closedRanges = ({ uplinks, dhcp, cluster }: Config): ClosedRange[] => [
  ...(cluster === undefined ? uplinks : []).flatMap(({ path, pools }) =>
    pools.map(range => ({ path: [...path, 'pools'], range })),
  ),
  ...dhcp.scopes.map(range => ({ path: ['dhcp', 'scopes'], range })),
];

/**
 * No scope may contain the host or its gateway, and no IPv4 pool that is routed here: their packets would be dropped as
 * forged, or end at a VM. A pool that lies on an uplink's wire, as IPv6 pools usually do, may: there they are reserved.
 * @throws Refusal that names the range
 */
export function refuseHostInRanges({ uplinks, dhcp, fault }: Config, own: readonly Prefix[]): void {
  const refuse = (path: readonly string[], ranges: readonly Prefix[], what: string): void => {
    for (const range of ranges) {
      const held = range.family === 4 ? own.find(address => contains(range, address)) : undefined;
      if (held === undefined) continue;
      throw fault(
        path,
        format(range),
        `the ${what} ${format(held)}, the host's or the gateway's own address`,
      );
    }
  };
  for (const { path, pools, delivery } of uplinks)
    if (delivery[4] === 'routed') refuse([...path, 'pools'], pools, 'pool contains');
  refuse(['dhcp', 'scopes'], dhcp.scopes, 'scopes contain');
}
