import { freeAddresses, refuseForeign, refuseHeld } from '../../assign/allocate.ts';
import { changing, enact } from '../../assign/change.ts';
import { decide, type Plug } from '../../assign/decision.ts';
import { inventory } from '../../assign/inventory.ts';
import { withWayOut } from '../../assign/nearest.ts';
import { pin } from '../../assign/pin.ts';
import { privateAddress } from '../../assign/private.ts';
import { recordAssigned } from '../../assign/record.ts';
import { refuseReserved } from '../../assign/reserve.ts';
import { withScope } from '../../assign/scopes.ts';
import { refuseElsewhere, reservationsIn, type Shared, sharing } from '../../assign/shared.ts';
import type { Taken } from '../../assign/taken.ts';
import type { Context } from '../../host/context.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { type KnownDomain, type Libvirt, pick } from '../../libvirt/libvirt.ts';
import { format } from '../../model/address.ts';
import { addressLine, addressState } from '../../model/address-state.ts';
import { type Address, isPrivate } from '../../model/bridge.ts';
import type { Config } from '../../model/config.ts';
import { addressesOf, addressesToKeep, amended, type Domain, nicOn } from '../../model/domain.ts';
import { equal, isAmong, overlaps, type Prefix } from '../../model/prefix.ts';
import { quote, Refusal, visible } from '../../model/refusal.ts';
import { hostIn, type Uplinks } from '../../model/uplink.ts';
import { answerOutcome } from '../changes.ts';
import { tellInForce } from '../in-force.ts';
import { runningShown } from '../views/domains.ts';
import { type AssignOptions, parseRequest, type Request } from './assign-request.ts';

/** Gives a domain addresses in addition to those it has, and puts its interface on their bridge; at once if it runs. */
export function assign(
  name: string,
  wanted: readonly string[],
  options: AssignOptions,
  context: Context,
): void {
  const asked = parseRequest(name, wanted, options);
  changing(context, libvirt => sharing(context, shared => assignOnce(asked, libvirt, shared, context)));
}

function assignOnce(asked: Request, libvirt: Libvirt, shared: Shared | undefined, context: Context): void {
  const { prefixes, mac, own, options } = asked;
  const place = lookAround(asked, libvirt, shared, context);
  const { known, held } = place;
  const addresses = addressesFor(asked, place);
  const bridge = bridgeFor(prefixes, addresses);
  const next = amended(place.base, { addresses, ...own });
  const plugs = options.nic === false ? [] : plugsFor(bridge, mac, addresses, known);
  const outcome = enact(libvirt, decide(known, next, plugs), options, context, shared);
  answerOutcome(outcome, options, context);
  if (options.dryRun) return;
  recordAssigned(known, added(addresses, held), context);
  tell(outcome.after, addresses, context);
}

/** The domain, and what is taken around it. @throws Refusal for an address that it can't have */
function lookAround(
  { name, prefixes }: Request,
  libvirt: Libvirt,
  shared: Shared | undefined,
  context: Context,
) {
  const config = context.config();
  const domains = libvirt.domains();
  const known = pick(domains, name);
  refuseElsewhere('assign to', known.domain, shared);
  const { view, uplinks } = readNetworkWithUplinks(context.host, config);
  const taken = inventory(domains, { view, uplinks }, config, shared?.seen);
  const base = baseOf(known);
  const held = addressesToKeep(base, 'assign to');
  const reservations = reservationsIn(shared);
  const reserved = reservations.map(one => one.address);
  withWayOut(prefixes, config.pools, taken, reserved, () => {
    refuseForeign('assign', prefixes, config, taken, uplinks);
    refuseReserved('assign', prefixes, known.domain, reservations);
    for (const prefix of prefixes) refuseHeld(prefix, known.domain.uuid, taken);
  });
  return { config, known, uplinks, taken, base, held, reservations };
}

/** Everything that it has afterwards. */
function addressesFor(
  { prefixes, mac, via, scope, options }: Request,
  { config, known, uplinks, taken, base, held, reservations }: ReturnType<typeof lookAround>,
): readonly Address[] {
  const beside = addressToShare(base, held, mac);
  const hop = via === undefined ? undefined : hopAmong(via, held, known);
  const picks =
    prefixes.length > 0 || options.private || held.length > 0
      ? prefixes
      : freeAddresses(config.pools, taken, reservations, known.domain.name);
  const chosen = choose(picks, held, hop ?? beside, taken, config, scope);
  const whole = options.private ? withPrivate(chosen, beside, config, taken, uplinks, scope) : chosen;
  const routed = hop === undefined ? whole : whole.map(one => routedBy(hop, one, prefixes));
  return scope === undefined
    ? routed
    : withScope(scope, bridgeFor(prefixes, routed), routed, known, taken, config);
}

const added = (addresses: readonly Address[], held: readonly Address[]): Prefix[] =>
  addresses.map(({ prefix }) => prefix).filter(prefix => !held.some(one => equal(one.prefix, prefix)));

/** What a domain has already: one that runs may have been defined anew meanwhile, without what it runs with. */
const baseOf = ({ domain, next, active }: KnownDomain): Domain =>
  active && addressesOf(domain).length > 0 ? domain : next;

/** New addresses share the bridge of the interface `--nic`, if it is on one of ours; without `--nic` that of the first. */
function addressToShare({ nics }: Domain, held: readonly Address[], mac?: string): Address | undefined {
  if (mac === undefined) return held[0];
  const nic = nics.find(one => one.mac === mac);
  return held.find(({ bridge }) => nic?.type === 'bridge' && nic.source === bridge);
}

/** The address of the domain's that is to route a prefix on. */
function hopAmong(via: Prefix, held: readonly Address[], { domain }: KnownDomain): Address {
  const hop = held.find(one => equal(one.prefix, via) && one.via === undefined);
  if (hop !== undefined) return hop;
  const names = held.map(({ prefix }) => format(prefix)).join(', ') || 'nothing';
  throw new Refusal(`Cannot assign via ${format(via)}: ${quote(domain.name)} holds ${names}`);
}

const routedBy = ({ prefix: via }: Address, one: Address, asked: readonly Prefix[]): Address =>
  isAmong(asked, one.prefix) ? { ...one, via } : one;

/** The bridge of the first address that was asked for, or of the domain's first. */
function bridgeFor([first]: readonly Prefix[], addresses: readonly Address[]): string {
  const asked = first === undefined ? undefined : addresses.find(({ prefix }) => equal(prefix, first));
  return (asked ?? addresses[0])?.bridge ?? '';
}

/** The interface that was asked for, and those that only the run, or only the definition, has on their bridges. */
function plugsFor(
  first: string,
  mac: string | undefined,
  addresses: readonly Address[],
  { domain, persistent, active }: KnownDomain,
): Plug[] {
  const both = active && persistent !== undefined ? [domain, persistent] : [];
  const bridges = new Set(addresses.map(({ bridge }) => bridge).filter(bridge => bridge !== first));
  const halves = [...bridges].filter(
    bridge => both.filter(one => nicOn(one, bridge) !== undefined).length === 1,
  );
  return [{ bridge: first, mac }, ...halves.map(bridge => ({ bridge, mac: undefined }))];
}

function tell(after: KnownDomain, addresses: readonly Address[], context: Context): void {
  const name = visible(after.domain.name);
  for (const address of addresses) context.print(`${name}: ${addressLine(addressState(address))}`);
  tellInForce(after, runningShown([after], context), context);
}

/** All addresses that the domain shall have; the new ones with their bridge and scope. */
function choose(
  wanted: readonly Prefix[],
  held: readonly Address[],
  shared: Address | undefined,
  taken: Taken,
  config: Config,
  scope: Prefix | undefined,
): Address[] {
  const added = wanted.filter(prefix => !held.some(address => equal(address.prefix, prefix)));
  const addresses = [...held];
  let companion = shared;
  for (const prefix of added) {
    const own = held.find(address => overlaps(address.prefix, prefix));
    if (own !== undefined)
      throw new Refusal(
        `Cannot assign ${format(prefix)}: it overlaps ${format(own.prefix)}, which the domain has`,
      );
    companion = pin(prefix, config.dhcp.scopes, taken, companion, scope);
    addresses.push(companion);
  }
  return addresses;
}

/** With an address of the private subnet of a bridge, where the domain has none there. */
function withPrivate(
  addresses: readonly Address[],
  shared: Address | undefined,
  { dhcp }: Config,
  taken: Taken,
  uplinks: Uplinks,
  scope: Prefix | undefined,
): Address[] {
  if (hostIn(uplinks) === undefined)
    throw new Refusal('Cannot use --private: this host has no IPv4 address to translate it to');
  const companion = shared ?? addresses[0];
  if (addresses.some(one => isPrivate(one) && one.bridge === companion?.bridge)) return [...addresses];
  return [...addresses, privateAddress(dhcp.scopes, taken, companion, scope)];
}
