/** Where the bridges' private subnets come from, on a host that uses private addresses itself; and one domain's own. */
import type { KnownDomain } from '../libvirt/libvirt.ts';
import { format, parsePrefix, parseSubnet } from '../model/address.ts';
import type { Address } from '../model/bridge.ts';
import type { Config } from '../model/config.ts';
import { addressesOf } from '../model/domain.ts';
import { aliasOwner, ROUTE_PROTOCOL } from '../model/names.ts';
import { contains, equal, overlaps, type Prefix } from '../model/prefix.ts';
import { ifPossible, quote, Refusal } from '../model/refusal.ts';
import { PRIVATE } from '../model/reserved.ts';
import type { View } from '../model/view.ts';
import type { Taken } from './taken.ts';

/** What parse-config.ts takes where the configuration says nothing, and hnet init writes. */
export const USUAL = parsePrefix('172.30.0.0/16');

/** A range that something on this host has, or may take, and what that is. */
export interface Use {
  readonly prefix: Prefix;
  readonly by: string;
}

/** Routes of others, without the default route and the halves of it that VPNs use; and subnets of interfaces that are down. */
export function usesOf({ routes, links, addresses }: Pick<View, 'routes' | 'links' | 'addresses'>): Use[] {
  const isOurs = (device = ''): boolean => aliasOwner(links.get(device)?.alias ?? '') !== undefined;
  const routed = [...routes.values()]
    .filter(({ protocol, dev }) => protocol !== String(ROUTE_PROTOCOL) && !isOurs(dev))
    .map(({ prefix, dev, type }) => ({ prefix, by: `the route ${format(prefix)} to ${dev ?? type}` }));
  const connected = [...addresses]
    .filter(([device]) => !isOurs(device))
    .flatMap(([device, all]) =>
      all.map(parseSubnet).map(prefix => ({ prefix, by: `${format(prefix)} on ${device}` })),
    );
  return [...routed, ...connected].filter(({ prefix }) => prefix.family === 4 && prefix.length >= 8);
}

export const DOCKER_SETTINGS = '/etc/docker/daemon.json';

/** Docker's defaults for the networks that users make, of which it takes one after the other. */
const DOCKER_POOLS = ['172.16.0.0/12', '192.168.0.0/16'].map(parsePrefix);

/**
 * What Docker may take for its networks.
 * @param settings the text of its daemon.json, empty where there is none
 */
export function usesOfDocker(isInstalled: boolean, settings: string): Use[] {
  if (!isInstalled) return [];
  // "bip" and "fixed-cidr" say where docker0 is, and nothing of further networks.
  const isKept = settings.includes('"default-address-pools"');
  const named = [...settings.matchAll(/"(?:base|bip|fixed-cidr)"\s*:\s*"([^"]*)"/g)].flatMap(
    ([, text = '']) => ifPossible(() => parseSubnet(text)) ?? [],
  );
  return [...named, ...(isKept ? [] : DOCKER_POOLS)].map(prefix => ({
    prefix,
    by: `${format(prefix)} of Docker`,
  }));
}

/** Second octets of 10.0.0.0/8 that nobody is known to use: Kubernetes, podman and OpenShift have others by default. */
const TENS = [...count(30, 41), ...count(45, 87), ...count(160, 232), ...count(11, 29)];

function count(first: number, final: number): number[] {
  return Array.from({ length: final - first + 1 }, (_, index) => first + index);
}

/** The usual range if nothing uses it, or the first of some others; undefined if all are in use. */
export function freeRange(uses: readonly Use[]): Prefix | undefined {
  const tens = TENS.map(octet => parsePrefix(`10.${octet}.0.0/16`));
  const others = count(16, 31).map(octet => parsePrefix(`172.${octet}.0.0/16`));
  return [USUAL, ...tens, ...others].find(range => !uses.some(({ prefix }) => overlaps(prefix, range)));
}

/**
 * Refuses a scope that the operator has chosen for a domain.
 * @throws Refusal for one that is public, or that something else has: on the host, in the pools, or another bridge
 */
export function refuseScope(scope: Prefix, bridge: string, taken: Taken, { pools, dhcp }: Config): void {
  const refuse = (why: string): never => {
    throw new Refusal(`Cannot use --scope ${format(scope)}: ${why}`);
  };
  if (![...dhcp.scopes, ...PRIVATE].some(range => contains(range, scope)))
    refuse('it is neither in "scopes" of hnet.toml nor private (RFC 1918, RFC 6598); choose another');
  const meets = (range: Prefix): boolean => overlaps(range, scope);
  const route = taken.routed.find(meets);
  if (route !== undefined) refuse(`the host routes ${format(route)} elsewhere; choose another`);
  const own = [...taken.own, ...pools].find(meets);
  if (own !== undefined)
    refuse(`it meets ${format(own)}, of the pools, the host or its gateway; choose another`);
  const other = taken.holdings.find(({ address }) => address.bridge !== bridge && meets(address.scope));
  if (other !== undefined)
    refuse(
      `${quote(other.name)} has ${format(other.address.scope)} on ${other.address.bridge}; choose another`,
    );
}

/**
 * The addresses with another scope of one bridge.
 * @throws Refusal for a scope that can't be, and while the bridge is in use with another: its MAC goes by the scope, and the
 * system inside would look for its gateway in vain
 */
export function withScope(
  scope: Prefix,
  bridge: string,
  addresses: readonly Address[],
  { domain, active }: KnownDomain,
  taken: Taken,
  config: Config,
): Address[] {
  refuseScope(scope, bridge, taken, config);
  const now = addressesOf(domain).find(one => one.bridge === bridge);
  if (active && now !== undefined && !equal(now.scope, scope))
    throw new Refusal(
      `Cannot use --scope ${format(scope)}: ${quote(domain.name)} runs with ${format(now.scope)} on ${bridge}; shut it down first`,
    );
  return addresses.map(one => (one.bridge === bridge ? { ...one, scope } : one));
}
