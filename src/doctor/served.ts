/** Addresses that the kernel wouldn't serve, and those of the host that no domain can have. */
import { holdingsOf } from '../assign/inventory.ts';
import { format } from '../model/address.ts';
import { type HostAddress, hostAddresses, mendOf, whereHeld } from '../model/host-address.ts';
import { contains, equal, isAmong } from '../model/prefix.ts';
import { ownAddresses } from '../model/uplink.ts';
import { DEAF } from '../repair/obstacles.ts';
import { unservedLines } from '../repair/unserved-lines.ts';
import { ARP_IGNORE } from '../resources/bridge.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

/**
 * Addresses of pools that the host itself has. An IPv6 pool usually is the uplink's own subnet: what the host has there is
 * told only if a domain is to have it too.
 */
export function checkHostAddresses({ config, uplinks, network, domains }: Facts): Diagnosis[] {
  if (config.is === 'unknown' || uplinks.is === 'unknown') return [];
  const isUplink = (name: string): boolean => uplinks.value.some(({ device }) => device === name);
  const own = ownAddresses(uplinks.value);
  const assigned = (knownValue(domains) ?? []).flatMap(holdingsOf).map(({ address }) => address.prefix);
  const isOrdinary = (held: HostAddress): boolean =>
    held.address.family === 6 && isUplink(held.device) && !assigned.some(one => contains(one, held.address));
  return hostAddresses(network).flatMap(held => {
    const pool = config.value.pools.find(one => contains(one, held.address));
    if (pool === undefined || (held.address.family === 4 && isAmong(own, held.address)) || isOrdinary(held))
      return [];
    return diagnosis(
      `the host itself has ${whereHeld(held)}, an address of the pool ${format(pool)}`,
      'what is sent to it never reaches a VM, so hnet gives it to none',
      mendOf(held, uplinks.value),
    );
  });
}

export const checkArp = ({ file }: Facts): Diagnosis[] =>
  file(ARP_IGNORE)?.text.trim() === '8'
    ? diagnosis(DEAF.why, 'a static VM asks for its gateway by ARP', DEAF.mend)
    : [];

/** Addresses of running domains that are cut off, by the cause, but for those that are told of above. */
export function checkServed({ unserved, network }: Facts): Diagnosis[] {
  const held = hostAddresses(network);
  const others = unserved.filter(
    ({ address, cause }) => cause !== DEAF && !held.some(one => equal(one.address, address)),
  );
  const mends = new Map(others.map(({ cause }) => [cause.why, cause.mend]));
  return [...mends].flatMap(([why, mend]) => {
    const [line = ''] = unservedLines(others.filter(({ cause }) => cause.why === why));
    return diagnosis(line, 'the kernel would not forward what is sent to it, or what it sends', mend);
  });
}
