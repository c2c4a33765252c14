/** What is to be asked on the wires of a domain; pure. */
import { format, parseInterfaceAddress } from '../../model/address.ts';
import { type Address, isPrivate } from '../../model/bridge.ts';
import type { Config } from '../../model/config.ts';
import { addressesOf, type Domain } from '../../model/domain.ts';
import { MAC } from '../../model/names.ts';
import { contains, FAMILIES, isLinkLocal, isSingle, nth, type Prefix, size } from '../../model/prefix.ts';
import { hostOn, type Uplink, type Uplinks, uplinksOf } from '../../model/uplink.ts';
import type { View } from '../../model/view.ts';
import { callsOf } from './calls.ts';
import type { BridgeSide, Plan, UplinkSide } from './wires.ts';

/** So many addresses of one domain are asked for: more of them would only make the wire busy. */
export const ASKED = 16;
/** And so many that it may use instead. */
const OTHERS = 48;

interface Around {
  readonly view: View;
  readonly uplinks: Uplinks;
  readonly config: Config;
}

/**
 * @param domain no more than {@link ASKED} of its addresses are asked for
 * @param candidates bridge → addresses that somebody on it may have, by its leases and the neighbour table
 */
export function planOf(
  domain: Domain,
  around: Around,
  candidates: ReadonlyMap<string, readonly Prefix[]>,
  id: number,
): Plan {
  const asked = addressesOf(domain).slice(0, ASKED);
  const bridges = [...new Set(asked.map(({ bridge }) => bridge))];
  return {
    id,
    uplinks: uplinksOfAll(asked, around.uplinks).map(one => uplinkSide(one, around)),
    bridges: bridges.flatMap(name => bridgeSide(name, asked, around.view, candidates.get(name) ?? [])),
    prefixes: asked.map(one => ({
      prefix: one.prefix,
      bridge: one.bridge,
      uplinks: devicesOf(one.prefix, around.uplinks),
      sample: oneOf(one.prefix, candidates.get(one.bridge) ?? []),
      via: one.via,
      isPrivate: isPrivate(one),
      called: callsOf(domain, one.prefix).map(({ to }) => to),
    })),
  };
}

/** An address of a prefix: one that is known to be used, if any is. */
const oneOf = (prefix: Prefix, candidates: readonly Prefix[]): Prefix =>
  candidates.find(one => contains(prefix, one)) ?? nth(prefix, isSingle(prefix) ? 0n : 1n);

/** The uplinks by which a domain's addresses come and go, each once. */
export const uplinksOfAll = (addresses: readonly Address[], uplinks: Uplinks): Uplink[] => [
  ...new Set(addresses.flatMap(({ prefix }) => uplinksOf(prefix, uplinks))),
];

/** The interfaces of an address' uplinks. */
export const devicesOf = (prefix: Prefix, uplinks: Uplinks): string[] =>
  uplinksOf(prefix, uplinks).map(({ device }) => device);

function uplinkSide(uplink: Uplink, { view, config }: Around): UplinkSide {
  const { device, gateway, gateway6 } = uplink;
  // A tunnel's "MAC" is an address of IP, if it has any.
  const mac = view.links.get(device)?.mac.match(MAC)?.[0];
  const gateways = [gateway, gateway6].filter(one => one !== undefined);
  const servers = FAMILIES.flatMap(family => config.dhcp.dns.find(one => one.family === family) ?? []);
  return {
    device,
    mac,
    own: hostOn(uplink).filter(one => !isLinkLocal(one)),
    gateways,
    far: [...gateways, ...servers],
  };
}

function bridgeSide(
  name: string,
  addresses: readonly Address[],
  view: View,
  candidates: readonly Prefix[],
): BridgeSide[] {
  const mac = view.links.get(name)?.mac;
  if (!mac) return [];
  const own = (view.addresses.get(name) ?? []).map(text => parseInterfaceAddress(text).address);
  const assigned = addresses
    .filter(({ bridge, via }) => bridge === name && via === undefined)
    .flatMap(({ prefix }) => first(prefix));
  const sought = new Map([...assigned, ...candidates.slice(0, OTHERS)].map(one => [format(one), one]));
  return [
    {
      device: name,
      mac,
      // A system may have no route to anything but the link-local one.
      own: own.toSorted((a, b) => Number(isLinkLocal(b)) - Number(isLinkLocal(a))),
      sought: [...sought.values()],
    },
  ];
}

/** The first addresses of a prefix, which all of a small one are. */
const first = (prefix: Prefix): Prefix[] =>
  Array.from({ length: Math.min(Number(size(prefix)), ASKED) }, (_, place) => nth(prefix, BigInt(place)));
