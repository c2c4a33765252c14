/** Whether the configuration's ranges fit each other and the host: one that would cut it off is refused. */
import { format } from './address.ts';
import type { Config, FaultyKey } from './config.ts';
import { contains, overlaps, type Prefix } from './prefix.ts';

/** @throws Refusal for ranges that overlap, or hold what the configuration says of the host and the gateway */
export function refuseBadRanges(config: Config): void {
  const { pools, dhcp, fault } = config;
  refuseHostInRanges(
    config,
    [config.host, config.gateway].filter(address => address !== undefined),
  );
  pools.forEach((pool, index) => {
    const twin = pools.slice(0, index).find(earlier => overlaps(earlier, pool));
    if (twin !== undefined) throw fault('pools', format(pool), `overlaps the pool ${format(twin)}`);
    const scope = dhcp.scopes.find(range => overlaps(range, pool));
    if (scope !== undefined)
      throw fault('pools', format(pool), `overlaps the bootstrap scopes ${format(scope)}`);
  });
}

/**
 * No IPv4 pool or scope may contain the host or its gateway: their packets would be dropped as forged, or end at a VM. An
 * IPv6 pool usually does contain the host: there the host's own addresses are reserved.
 * @throws Refusal that names the range
 */
export function refuseHostInRanges({ pools, dhcp, fault }: Config, own: readonly Prefix[]): void {
  const refuse = (key: FaultyKey, ranges: readonly Prefix[], what: string): void => {
    for (const range of ranges) {
      const held = range.family === 4 ? own.find(address => contains(range, address)) : undefined;
      if (held === undefined) continue;
      throw fault(key, format(range), `the ${what} ${format(held)}, the host's or the gateway's own address`);
    }
  };
  refuse('pools', pools, 'pool contains');
  refuse('dhcp.scopes', dhcp.scopes, 'scopes contain');
}
