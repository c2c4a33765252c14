import { equal, format, overlaps, type Prefix, parsePrefix } from '../address.ts';
import { refuseForeignAddresses } from '../admission.ts';
import { freeAddress, pin, refuseHeld, type Taken } from '../allocate.ts';
import type { Config } from '../config.ts';
import { addressesOf, policyOf } from '../domain.ts';
import { inventory } from '../inventory.ts';
import { type KnownDomain, type Libvirt, pick, withLibvirt } from '../libvirt.ts';
import type { Affects } from '../libvirt-connection.ts';
import { withLock } from '../lock.ts';
import { type Address, renderAssignment } from '../metadata.ts';
import { changeNic } from '../nic.ts';
import { observeUplink } from '../observe.ts';
import { quote, Refusal, UsageRefusal } from '../refusal.ts';
import type { Context } from './context.ts';

export interface AssignOptions {
  /** MAC of the interface that shall carry the addresses, or false for "leave the interfaces alone". */
  readonly nic?: string | boolean;
}

/**
 * Tags a domain with addresses and puts its interface on their bridge. Adds to what it has; an address that
 * it holds already is success.
 */
export function assign(
  name: string,
  wanted: readonly string[],
  options: AssignOptions,
  context: Context,
): void {
  const prefixes = parseAll(wanted);
  const mac = parseMac(options.nic);
  withLibvirt(libvirt => {
    withLock('assignments', 'exclusive', context.host, () => {
      const config = context.config();
      const domains = libvirt.domains();
      const known = pick(domains, name);
      const taken = inventory(domains, config, context.host);
      const held = addressesToKeep(known);
      const addresses = choose(prefixes, known, held, taken, config, context);
      applyAssignment(libvirt, known, addresses, options.nic === false ? undefined : { mac }, context);
    });
  });
}

function parseAll(wanted: readonly string[]): Prefix[] {
  const prefixes = wanted.map(text => {
    try {
      return parsePrefix(text);
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
  if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(nic)) return nic.toLowerCase();
  throw new UsageRefusal(`Cannot use --nic ${quote(nic)}: it is not a MAC address such as 52:54:00:12:34:56`);
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
  taken: Taken,
  config: Config,
  context: Context,
): Address[] {
  const asked = wanted.length > 0 ? wanted : held.length > 0 ? [] : [freeAddress(config.pools, taken)];
  const added = asked.filter(prefix => !held.some(address => equal(address.prefix, prefix)));
  refuseForeignAddresses(asked, config, observeUplink(context.host, config));
  const addresses = [...held];
  for (const prefix of added) {
    refuseHeld(prefix, domain.uuid, taken);
    const own = held.find(address => overlaps(address.prefix, prefix));
    if (own !== undefined)
      throw new Refusal(
        `Cannot assign ${format(prefix)}: it overlaps ${format(own.prefix)}, which the domain has`,
      );
    addresses.push(pin(prefix, config.dhcp.scopes, taken, addresses[0]));
  }
  return addresses;
}

function applyAssignment(
  libvirt: Libvirt,
  known: KnownDomain,
  addresses: readonly Address[],
  nic: { mac: string | undefined } | undefined,
  context: Context,
): void {
  const { domain, persistent, active } = known;
  // Decided before anything is written, so that a choice the user must make leaves all as it was.
  const change =
    nic === undefined ? undefined : changeNic(persistent ?? domain, addresses[0]?.bridge ?? '', nic.mac);
  writeMetadata(
    libvirt,
    known,
    renderAssignment({ owner: domain.uuid, addresses, policy: policyOf(persistent ?? domain) }),
  );
  if (persistent === undefined)
    context.warn(`${quote(domain.name)} is transient: its interface stays as it is`);
  else if (change?.kind === 'update') libvirt.connection.updateDevice(domain.uuid, change.device, 'config');
  else if (change?.kind === 'attach') libvirt.connection.attachDevice(domain.uuid, change.device, 'config');
  for (const { prefix, bridge, scope } of addresses) {
    context.print(`${domain.name}: ${format(prefix)} on ${bridge}, bootstrap scope ${format(scope)}`);
  }
  if (active) context.print(`${domain.name} is running: this takes effect at its next start`);
}

/** Writes where the domain's state asks for it, and reads back: some versions of libvirt drop what they can't place. */
export function writeMetadata(
  libvirt: Libvirt,
  { domain, persistent, active }: KnownDomain,
  element: string | undefined,
): void {
  const affects: Affects = active ? (persistent ? 'both' : 'live') : 'config';
  libvirt.connection.setMetadata(domain.uuid, element, affects);
  const after = libvirt.known(domain.uuid);
  const kinds = [after.domain.intent.kind, after.persistent?.intent.kind ?? after.domain.intent.kind];
  if (kinds.some(kind => kind !== (element === undefined ? 'none' : 'assigned'))) {
    throw new Refusal(
      `Cannot write the metadata of ${quote(domain.name)}: libvirt took it, but doesn't return it`,
    );
  }
}
