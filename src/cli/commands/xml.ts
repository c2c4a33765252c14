import { refuseForeign } from '../../assign/allocate.ts';
import { inventory } from '../../assign/inventory.ts';
import { pin } from '../../assign/pin.ts';
import type { Taken } from '../../assign/taken.ts';
import type { Context } from '../../host/context.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { withLibvirt } from '../../libvirt/libvirt.ts';
import { format, parseRoutable } from '../../model/address.ts';
import type { Address } from '../../model/bridge.ts';
import { METADATA_NAMESPACE } from '../../model/names.ts';
import { contains, equal, type Prefix } from '../../model/prefix.ts';
import { asUsage, quote } from '../../model/refusal.ts';
import { forWhom } from '../../model/reservation.ts';
import { escapeXml } from '../../model/xml.ts';
import { readReservations } from '../../state/reservations.ts';

/**
 * Prints what a template of a domain needs to have addresses from its first start on. The metadata names no domain, for that has
 * no UUID yet; nothing is taken by it.
 */
export function xml(texts: readonly string[], context: Context): void {
  const prefixes = texts.map(text => asUsage(() => parseRoutable(text), 'print the XML'));
  const addresses = pinned(prefixes, context);
  const answer = { metadata: metadataOf(addresses), interface: interfaceOf(addresses) };
  context.answer(answer);
  context.print(answer.metadata);
  context.print(answer.interface);
}

function pinned(prefixes: readonly Prefix[], context: Context): Address[] {
  const config = context.config();
  const seen = readNetworkWithUplinks(context.host, config);
  const taken = inventory(
    withLibvirt(libvirt => libvirt.domains()),
    seen,
    config,
  );
  refuseForeign('print the XML', prefixes, config, taken, seen.uplinks);
  tellReservations(prefixes, context);
  const addresses: Address[] = [];
  for (const prefix of prefixes)
    addresses.push(
      heldBefore(prefix, taken, context) ?? pin(prefix, config.dhcp.scopes, taken, addresses[0]),
    );
  return addresses;
}

/** A domain that is made anew from its template has the bridge and the scope that it had. */
function heldBefore(prefix: Prefix, { holdings }: Taken, { warn }: Context): Address | undefined {
  const holding = holdings.find(({ address }) => equal(address.prefix, prefix));
  if (holding === undefined) return undefined;
  warn(`domain ${quote(holding.name)} holds ${format(prefix)}: no other starts with it`);
  return holding.address;
}

/** Until a domain of the template exists, only a reservation keeps the address. */
function tellReservations(prefixes: readonly Prefix[], { warn }: Context): void {
  const reservations = readReservations();
  for (const prefix of prefixes) {
    const one = reservations.find(({ address }) => contains(address, prefix));
    if (one === undefined)
      warn(
        `nothing keeps ${format(prefix)} for the domain until it exists; hnet reserve ${format(prefix)} NAME does`,
      );
    else warn(`${format(prefix)} is reserved ${forWhom(one)}`);
  }
}

/** With a prefix: libvirt takes elements of others only with one. */
const metadataOf = (addresses: readonly Address[]): string =>
  [
    '<metadata>',
    `  <hnet:assignment xmlns:hnet="${METADATA_NAMESPACE}">`,
    ...addresses.map(
      ({ prefix, bridge, scope }) =>
        `    <hnet:address ip="${format(prefix)}" bridge="${escapeXml(bridge)}" scope="${format(scope)}"/>`,
    ),
    '  </hnet:assignment>',
    '</metadata>',
  ].join('\n');

const interfaceOf = (addresses: readonly Address[]): string =>
  [...new Set(addresses.map(({ bridge }) => bridge))]
    .map(
      bridge =>
        `<interface type="bridge">\n  <source bridge="${escapeXml(bridge)}"/>\n  <model type="virtio"/>\n</interface>`,
    )
    .join('\n');
