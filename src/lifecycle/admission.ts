/** What may start: the rules that a domain's addresses must keep, before anything of them is set up. */

import { format } from '../model/address.ts';
import type { Assignment } from '../model/assignment.ts';
import type { Attachment, WireOf } from '../model/attachment.ts';
import { type Address, isPrivate } from '../model/bridge.ts';
import type { Backend, Config } from '../model/config.ts';
import { ownDhcp } from '../model/dhcp-mode.ts';
import { type Domain, macsOf, mtusOf } from '../model/domain.ts';
import { refuseHostInRanges } from '../model/fit.ts';
import { type HostAddress, type PeerAddress, removalOf, whereHeld } from '../model/host-address.ts';
import { contains, equal, isAnycast, isSingle, overlaps, type Prefix, size } from '../model/prefix.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import { PRIVATE } from '../model/reserved.ts';
import type { Uplinks } from '../model/uplink.ts';
import type { Route } from '../model/view.ts';
import { MOST_PROXIES } from '../resources/neighbour.ts';

/**
 * The assignment of a domain, or undefined if it has none.
 * @throws Refusal if it can't be read, or was made for another domain (a clone copies the metadata)
 */
export function assignmentOf(domain: Domain): Assignment | undefined {
  if (domain.intent.kind === 'none') return undefined;
  if (domain.intent.kind === 'malformed') {
    throw new Refusal(
      `its hnet metadata can't be used: ${domain.intent.why}; run hnet unassign, then hnet assign`,
    );
  }
  const { owner, addresses } = domain.intent.assignment;
  if (owner !== undefined && owner !== domain.uuid) {
    const held = addresses.map(({ prefix }) => format(prefix)).join(', ');
    throw new Refusal(
      `its metadata assigns ${held} to the domain with UUID ${owner}, so this one is a clone; run hnet unassign on it`,
    );
  }
  return domain.intent.assignment;
}

/** The assignment of a domain that must have one. @throws Refusal if it has none, or as {@link assignmentOf} */
export function requireAssignment(domain: Domain, purpose: string): Assignment {
  let why = 'it has no address; hnet assign gives it one';
  try {
    const assignment = assignmentOf(domain);
    if (assignment !== undefined) return assignment;
  } catch (error) {
    why = reason(error);
  }
  throw new Refusal(`Cannot ${purpose} ${quote(domain.name)}: ${why}`);
}

/**
 * Refuses addresses that aren't the operator's to give: outside the pools, the host's own, the gateway's.
 * @param own addresses of the host and its gateways
 */
export function refuseForeignAddresses(
  prefixes: readonly Prefix[],
  config: Config,
  own: readonly Prefix[],
): void {
  refuseHostInRanges(config, own);
  for (const prefix of prefixes) {
    const taken = own.find(address => contains(prefix, address));
    if (taken !== undefined)
      throw new Refusal(`${holding(prefix, taken)} the host's or the gateway's own address`);
    if (isAnsweredOneByOne(prefix, config) && size(prefix) > MOST_PROXIES)
      throw new Refusal(
        `${format(prefix)} has more than ${MOST_PROXIES} addresses, and on the wire each is answered for by itself`,
      );
    if (isAnycast(prefix, config.pools))
      throw new Refusal(`${format(prefix)} is the anycast address of the routers of its subnet (RFC 4291)`);
    if (!config.pools.some(pool => contains(pool, prefix))) {
      const pools = config.pools.map(format).join(', ') || 'none are configured';
      throw new Refusal(
        `${format(prefix)} is outside the pools (${pools}); add its subnet to "pools" in hnet.toml`,
      );
    }
  }
}

/** An IPv4 prefix of a pool that the provider looks for on the wire. */
const isAnsweredOneByOne = (prefix: Prefix, { uplinks }: Pick<Config, 'uplinks'>): boolean =>
  prefix.family === 4 &&
  uplinks.some(
    ({ delivery, pools }) => delivery[4] === 'on-link' && pools.some(pool => contains(pool, prefix)),
  );

/**
 * Refuses what the host itself has on an interface: it would take the packets for itself, and the VM would get none.
 * @param host every address of the host
 */
export function refuseHostAddresses(
  prefixes: readonly Prefix[],
  host: readonly HostAddress[],
  uplinks: Uplinks,
): void {
  for (const prefix of prefixes) {
    const held = host.find(({ address }) => contains(prefix, address));
    if (held === undefined) continue;
    const whole = isSingle(prefix) ? '' : `, an address of ${format(prefix)}`;
    const mend = removalOf(held, uplinks);
    const out =
      mend === undefined
        ? 'choose another one, or delete it if nothing reaches the host by it'
        : `${mend} removes it`;
    throw new Refusal(`the host itself has ${whereHeld(held)}${whole}; ${out}`);
  }
}

/** Refuses what another host of the cluster has itself: both would answer for it, and that one would be cut off. */
export function refusePeerAddresses(prefixes: readonly Prefix[], peers: readonly PeerAddress[]): void {
  for (const prefix of prefixes) {
    const held = peers.find(({ address }) => contains(prefix, address));
    if (held !== undefined)
      throw new Refusal(`${holding(prefix, held.address)} ${held.host}'s own address; choose another one`);
  }
}

const holding = (prefix: Prefix, address: Prefix): string =>
  equal(prefix, address) ? `${format(prefix)} is` : `${format(prefix)} contains ${format(address)},`;

/**
 * Refuses a scope that is public elsewhere, or loopback: the host takes its first address, and routes all of it to the
 * domain's bridge. Whoever may write a domain's metadata could take 9.9.9.0/24 from all others.
 */
export function refuseForeignScopes(addresses: readonly Address[], { dhcp }: Pick<Config, 'dhcp'>): void {
  const own = [...dhcp.scopes, ...PRIVATE];
  const hit = addresses.find(({ scope }) => !own.some(range => contains(range, scope)));
  if (hit === undefined) return;
  const given = dhcp.scopes.map(format).join(', ');
  throw new Refusal(
    `scope ${format(hit.scope)} of ${format(hit.prefix)} is neither in "scopes" of hnet.toml (${given}) nor private (RFC 1918, RFC 6598); run hnet unassign, then hnet assign`,
  );
}

/**
 * Refuses a scope that the host already routes elsewhere: Docker's default pools, say, hold 172.30.0.0/16.
 * The default route, and the halves of it that VPNs use, cover everything and count for nothing.
 */
export function refuseTakenScopes(addresses: readonly Address[], routes: readonly Route[]): void {
  const bridges = new Set(addresses.map(({ bridge }) => bridge));
  for (const route of routes) {
    if (route.prefix.length < 8 || bridges.has(route.dev ?? '')) continue;
    const hit = addresses.find(({ scope }) => overlaps(scope, route.prefix));
    if (hit !== undefined) {
      const where = `${format(route.prefix)} to ${route.dev ?? route.type}`;
      throw new Refusal(
        `scope ${format(hit.scope)} collides with the host's route ${where}; choose other "scopes" in hnet.toml and assign again`,
      );
    }
  }
}

/**
 * What a domain would have attached, by its assignment.
 * @param wires where addresses are answered for that the provider doesn't route here
 */
export function toAttachment(
  domain: Domain,
  assignment: Assignment,
  backend: Backend,
  wires: WireOf,
): Attachment {
  const { addresses, policy, forwards } = assignment;
  const isOurs = (name: string): boolean => addresses.some(({ bridge }) => bridge === name);
  const macs = new Map([...macsOf(domain)].filter(([name]) => isOurs(name)));
  const mtus = new Map([...mtusOf(domain)].filter(([name]) => isOurs(name)));
  const answered = addresses.map(address => {
    const wire = isPrivate(address) ? undefined : wires(address.prefix);
    return wire === undefined ? address : { ...address, wire };
  });
  const own = { domain: domain.uuid, name: domain.name, addresses: answered, policy, backend };
  return {
    ...own,
    ...(forwards && { forwards }),
    ...ownDhcp(assignment),
    macs,
    ...(mtus.size > 0 ? { mtus } : {}),
  };
}
