/** Which ports of the host may lead to a domain. */
import { isCalled, type Listener } from '../host/observe/listeners.ts';
import type { KnownDomain } from '../libvirt/libvirt.ts';
import { format } from '../model/address.ts';
import { addressesOf, forwardsOf } from '../model/domain.ts';
import { collide, type Forward, familyOf } from '../model/forward.ts';
import { formatCalled, formatForward, targetOf } from '../model/forward-words.ts';
import type { HostAddress } from '../model/host-address.ts';
import { contains, equal } from '../model/prefix.ts';
import { quote, Refusal } from '../model/refusal.ts';
import { LOOPBACK } from '../model/reserved.ts';

/**
 * Refuses a forward that leads nowhere, or takes calls away from somebody else.
 * @param host every address of the host, with its interface
 * @throws Refusal that names whose the port is
 */
export function refuseForward(
  forward: Forward,
  known: KnownDomain,
  domains: readonly KnownDomain[],
  host: readonly HostAddress[],
  listening: readonly Listener[],
): void {
  const refuse = (why: string): never => {
    throw new Refusal(`Cannot forward ${formatForward(forward)} to ${quote(known.domain.name)}: ${why}`);
  };
  const { on } = forward;
  const family = familyOf(forward);
  if (targetOf(addressesOf(known.next), family) === undefined)
    refuse(
      family === 4
        ? 'it has no single IPv4 address; hnet assign --private gives it a private one'
        : 'it has no single IPv6 address; hnet assign gives it one',
    );
  if (on !== undefined && contains(LOOPBACK[family], on))
    refuse(`only the host itself calls ${format(on)}; name an address by which others call it`);
  // It may be on `lo`, where hosts that speak BGP have theirs.
  if (on !== undefined && !host.some(({ address }) => equal(address, on)))
    refuse(`the host has no address ${format(on)}; ip address shows those that it has`);
  for (const { domain, next } of domains) {
    const twin = [...forwardsOf(next), ...forwardsOf(domain)].find(one => collide(one, forward));
    if (twin !== undefined)
      refuse(`${formatCalled(twin)} leads to ${quote(domain.name)}; choose another port, or delete that one`);
  }
  const server = listening.find(one => isCalled(one, forward));
  if (server !== undefined)
    refuse(
      `${server.program ?? 'a program'} of the host listens on ${server.protocol}/${server.port}; choose another port`,
    );
}
