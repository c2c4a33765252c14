import { freeAddresses, pin, refuseHeld, type Taken } from '../../assign/allocate.ts';
import { changeAssignment } from '../../assign/change.ts';
import { inventory } from '../../assign/inventory.ts';
import { withLock } from '../../host/lock.ts';
import { type KnownDomain, pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { refuseForeignAddresses } from '../../lifecycle/admission.ts';
import { format, parseRoutable } from '../../model/address.ts';
import type { Address } from '../../model/assignment.ts';
import type { Config } from '../../model/config.ts';
import { DHCP_MODES, type DhcpMode, isDhcpMode, ownMode } from '../../model/dhcp-mode.ts';
import { addressesOf, type Domain, dhcpOf, policyOf } from '../../model/domain.ts';
import { MAC } from '../../model/names.ts';
import { equal, overlaps, type Prefix } from '../../model/prefix.ts';
import { quote, Refusal, UsageRefusal } from '../../model/refusal.ts';
import type { Context } from './context.ts';

export interface AssignOptions {
  /** MAC of the interface that shall carry the addresses, or false for "leave the interfaces alone". */
  readonly nic?: string | boolean;
  /** What its DHCP server shall hand out; `default` leaves it to the configuration. */
  readonly dhcp?: string;
}

/**
 * Tags a domain with addresses and puts its interface on their bridge; at once, where it runs. Adds to what it
 * has; an address that it holds already is success.
 */
export function assign(
  name: string,
  wanted: readonly string[],
  options: AssignOptions,
  context: Context,
): void {
  const prefixes = parseAll(wanted);
  const mac = parseMac(options.nic);
  const mode = parseMode(options.dhcp);
  withLibvirt(libvirt => {
    withLock('assignments', 'exclusive', context.host, () => {
      const config = context.config();
      const domains = libvirt.domains();
      const known = pick(domains, name);
      const taken = inventory(domains, config, context.host);
      const held = addressesToKeep(known);
      const target = known.persistent ?? known.domain;
      const shared = sharedAddress(target, held, mac);
      const addresses = choose(prefixes, known, held, shared, taken, config);
      const dhcp = mode === undefined ? dhcpOf(target) : mode === 'default' ? undefined : mode;
      const next = { owner: target.uuid, addresses, policy: policyOf(target), ...ownMode(dhcp) };
      const bridge = bridgeFor(prefixes, addresses);
      changeAssignment(libvirt, known, next, options.nic === false ? undefined : { bridge, mac }, context);
      tell(known, addresses, context);
    });
  });
}

function parseAll(wanted: readonly string[]): Prefix[] {
  const prefixes = wanted.map(text => {
    try {
      return parseRoutable(text);
    } catch (error) {
      throw new UsageRefusal(`Cannot assign: ${(error as Error).message}`);
    }
  });
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

function parseMode(text: string | undefined): DhcpMode | 'default' | undefined {
  if (text === undefined || text === 'default' || isDhcpMode(text)) return text;
  throw new UsageRefusal(
    `Cannot use --dhcp ${quote(text)}: it is ${DHCP_MODES.join(', ')}, or default for what hnet.toml says`,
  );
}

/** Whose bridge new addresses share: the one that `--nic` is on, or the first. An interface that is on none gets its own. */
function sharedAddress(
  domain: Domain,
  held: readonly Address[],
  mac: string | undefined,
): Address | undefined {
  if (mac === undefined) return held[0];
  const nic = domain.nics.find(one => one.mac === mac);
  return held.find(({ bridge }) => nic?.type === 'bridge' && nic.source === bridge);
}

/** The bridge of the first address that was asked for, or of the domain's first. */
function bridgeFor([first]: readonly Prefix[], addresses: readonly Address[]): string {
  const asked = first === undefined ? undefined : addresses.find(({ prefix }) => equal(prefix, first));
  return (asked ?? addresses[0])?.bridge ?? '';
}

function tell({ domain, active }: KnownDomain, addresses: readonly Address[], context: Context): void {
  for (const { prefix, bridge, scope } of addresses)
    context.print(`${domain.name}: ${format(prefix)} on ${bridge}, bootstrap scope ${format(scope)}`);
  if (active) context.print(`${domain.name} is running: this is in force now`);
}

/** What the domain has and keeps. A clone's copy isn't its own: it starts from nothing. */
function addressesToKeep({ domain, persistent }: KnownDomain): readonly Address[] {
  const { intent, name } = persistent ?? domain;
  if (intent.kind === 'malformed') {
    throw new Refusal(
      `Cannot assign to ${quote(name)}: its hnet metadata can't be read (${intent.why}); hnet unassign removes it`,
    );
  }
  return addressesOf(persistent ?? domain);
}

/** Everything that the domain shall have, the new addresses pinned. */
function choose(
  wanted: readonly Prefix[],
  { domain }: KnownDomain,
  held: readonly Address[],
  shared: Address | undefined,
  taken: Taken,
  config: Config,
): Address[] {
  const asked = wanted.length > 0 ? wanted : held.length > 0 ? [] : freeAddresses(config.pools, taken);
  const added = asked.filter(prefix => !held.some(address => equal(address.prefix, prefix)));
  refuseForeign(asked, config, taken.own);
  const addresses = [...held];
  let companion = shared;
  for (const prefix of added) {
    refuseHeld(prefix, domain.uuid, taken);
    const own = held.find(address => overlaps(address.prefix, prefix));
    if (own !== undefined)
      throw new Refusal(
        `Cannot assign ${format(prefix)}: it overlaps ${format(own.prefix)}, which the domain has`,
      );
    companion = pin(prefix, config.dhcp.scopes, taken, companion);
    addresses.push(companion);
  }
  return addresses;
}

function refuseForeign(prefixes: readonly Prefix[], config: Config, own: readonly Prefix[]): void {
  try {
    refuseForeignAddresses(prefixes, config, own);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`Cannot assign: ${error.message}`) : error;
  }
}
