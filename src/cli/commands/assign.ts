import {
  freeAddresses,
  pin,
  privateAddress,
  refuseForeign,
  refuseHeld,
  type Taken,
} from '../../assign/allocate.ts';
import { changing, enact } from '../../assign/change.ts';
import { decide, type Plug } from '../../assign/decision.ts';
import { inventory } from '../../assign/inventory.ts';
import { withWayOut } from '../../assign/nearest.ts';
import { recordAssigned } from '../../assign/record.ts';
import { refuseReserved } from '../../assign/reserve.ts';
import { withScope } from '../../assign/scopes.ts';
import type { Context } from '../../host/context.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { type KnownDomain, pick } from '../../libvirt/libvirt.ts';
import { format, parseAddress, parseRoutable } from '../../model/address.ts';
import { addressLine, addressState } from '../../model/address-state.ts';
import { parseBootFile } from '../../model/boot.ts';
import { type Address, isPrivate } from '../../model/bridge.ts';
import type { Config } from '../../model/config.ts';
import { DHCP_MODES, type DhcpMode, isDhcpMode } from '../../model/dhcp-mode.ts';
import { addressesOf, addressesToKeep, amended, type Domain, nicOn } from '../../model/domain.ts';
import { parseScope } from '../../model/metadata.ts';
import { MAC } from '../../model/names.ts';
import { equal, isAmong, overlaps, type Prefix } from '../../model/prefix.ts';
import { asUsage, quote, Refusal, UsageRefusal, visible } from '../../model/refusal.ts';
import { hostIn, type Uplinks } from '../../model/uplink.ts';
import { readReservations } from '../../state/reservations.ts';
import { answerOutcome, type DryRun } from '../changes.ts';

interface AssignOptions extends DryRun {
  /** MAC of the interface that shall carry the addresses, or false for "leave the interfaces alone". */
  readonly nic?: string | boolean;
  /** What its DHCP server shall hand out; `default` leaves it to the configuration. */
  readonly dhcp?: string;
  /** Its own address that routes the new ones on. */
  readonly via?: string;
  /** The private subnet of the bridge. */
  readonly scope?: string;
  /** Whether it gets an address of its bridge's private subnet. */
  readonly private?: boolean;
  /** What its boot ROMs load; `default` leaves it to the configuration. */
  readonly boot?: string;
}

/** Gives a domain addresses in addition to those it has, and puts its interface on their bridge; at once if it runs. */
export function assign(
  name: string,
  wanted: readonly string[],
  options: AssignOptions,
  context: Context,
): void {
  const prefixes = parseAll(wanted);
  const mac = parseMac(options.nic);
  const own = { ...parseMode(options.dhcp), ...parseBoot(options.boot) };
  const { via, scope } = parseSingles(prefixes, options);
  changing(context, libvirt => {
    const config = context.config();
    const domains = libvirt.domains();
    const known = pick(domains, name);
    const seen = readNetworkWithUplinks(context.host, config);
    const taken = inventory(domains, seen);
    const base = baseOf(known);
    const held = addressesToKeep(base, 'assign to');
    const shared = sharedAddress(base, held, mac);
    const reserved = readReservations().map(one => one.address);
    withWayOut(prefixes, config.pools, taken, reserved, () => {
      refuseForeign('assign', prefixes, config, taken, seen.uplinks);
      refuseReserved('assign', prefixes, known.domain);
      for (const prefix of prefixes) refuseHeld(prefix, known.domain.uuid, taken);
    });
    const hop = via === undefined ? undefined : hopAmong(via, held, known);
    const picks =
      prefixes.length > 0 || options.private || held.length > 0
        ? prefixes
        : freeFor(known.domain, config, taken);
    const chosen = choose(picks, held, hop ?? shared, taken, config, scope);
    const whole = options.private ? withPrivate(chosen, shared, config, taken, seen.uplinks, scope) : chosen;
    const routed = hop === undefined ? whole : whole.map(one => routedBy(hop, one, prefixes));
    const bridge = bridgeFor(prefixes, routed);
    const addresses = scope === undefined ? routed : withScope(scope, bridge, routed, known, taken, config);
    const next = amended(base, { addresses, ...own });
    const plugs = options.nic === false ? [] : plugsFor(bridge, mac, addresses, known);
    const decision = decide(known, next, plugs);
    const outcome = enact(libvirt, decision, options, context);
    answerOutcome(outcome, options, context);
    if (options.dryRun) return;
    recordAssigned(known, added(addresses, held), context);
    tell(known, addresses, context);
  });
}

const added = (addresses: readonly Address[], held: readonly Address[]): Prefix[] =>
  addresses.map(({ prefix }) => prefix).filter(prefix => !held.some(one => equal(one.prefix, prefix)));

/** The next hop and the scope, where they are given. */
function parseSingles(prefixes: readonly Prefix[], options: Pick<AssignOptions, 'via' | 'scope'>) {
  const read = <T>(text: string | undefined, parse: (text: string) => T, purpose: string): T | undefined =>
    text === undefined ? undefined : asUsage(() => parse(text), purpose);
  const via = read(options.via, parseAddress, 'assign');
  if (via !== undefined && prefixes.length === 0)
    throw new UsageRefusal('Cannot use --via without a prefix: which one shall the domain route on?');
  return { via, scope: read(options.scope, parseScope, 'use --scope') };
}

/** What a domain has already: one that runs may have been defined anew meanwhile, without what it runs with. */
const baseOf = ({ domain, next, active }: KnownDomain): Domain =>
  active && addressesOf(domain).length > 0 ? domain : next;

function parseAll(wanted: readonly string[]): Prefix[] {
  const prefixes = wanted.map(text => asUsage(() => parseRoutable(text), 'assign'));
  prefixes.forEach((prefix, index) => {
    const twin = prefixes.slice(0, index).find(earlier => overlaps(earlier, prefix));
    if (twin !== undefined)
      throw new UsageRefusal(`Cannot assign ${format(prefix)}: it overlaps ${format(twin)}, given before`);
  });
  return prefixes;
}

function parseMac(nic: string | boolean | undefined): string | undefined {
  if (typeof nic !== 'string') return undefined;
  if (MAC.test(nic.toLowerCase())) return nic.toLowerCase();
  throw new UsageRefusal(`Cannot use --nic ${quote(nic)}: it is not a MAC address such as 52:54:00:12:34:56`);
}

/** The change of the DHCP mode that the user asks for, if any. */
function parseMode(text: string | undefined): { dhcp?: DhcpMode | undefined } {
  if (text === undefined) return {};
  if (text === 'default') return { dhcp: undefined };
  if (isDhcpMode(text)) return { dhcp: text };
  throw new UsageRefusal(
    `Cannot use --dhcp ${quote(text)}: it is ${DHCP_MODES.join(', ')}, or default for what hnet.toml says`,
  );
}

/** The change of what its boot ROMs load, if any. */
function parseBoot(text: string | undefined): { boot?: string | undefined } {
  if (text === undefined) return {};
  return { boot: text === 'default' ? undefined : asUsage(() => parseBootFile(text), 'assign') };
}

/** New addresses share the bridge of the interface `--nic`, if it is on one of ours; without `--nic` that of the first. */
function sharedAddress({ nics }: Domain, held: readonly Address[], mac?: string): Address | undefined {
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

function tell({ domain, active }: KnownDomain, addresses: readonly Address[], { print }: Context): void {
  const name = visible(domain.name);
  for (const address of addresses) print(`${name}: ${addressLine(addressState(address))}`);
  if (active) print(`${name} is running: this is in force now`);
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

const freeFor = ({ name }: Domain, { pools }: Config, taken: Taken): Prefix[] =>
  freeAddresses(pools, taken, readReservations(), name);

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
