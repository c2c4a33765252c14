import type { Holding, Taken } from '../../assign/allocate.ts';
import { inventory } from '../../assign/inventory.ts';
import type { Context } from '../../host/context.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { withLibvirt } from '../../libvirt/libvirt.ts';
import { format, routeKey } from '../../model/address.ts';
import { readableJson } from '../../model/json.ts';
import { HOST_METRIC } from '../../model/names.ts';
import { addresses, contains, equal, isAmong, overlaps, type Prefix, size } from '../../model/prefix.ts';
import type { View } from '../../model/view.ts';
import { type Cell, table } from '../table.ts';

/** Of pools larger than this only the addresses in use are shown: nobody reads a /64 address by address. */
const LISTED = 4096n;

interface Row {
  readonly address: string;
  readonly state: 'free' | 'assigned' | 'up' | 'reserved';
  readonly domain: string | null;
  readonly bridge: string | null;
  /** The interface on which the host itself has it. */
  readonly interface: string | null;
}

/** Shows every address of the pools: free, assigned to whom, up or not, or the host's own. */
export function pool(options: { json?: boolean }, context: Context): void {
  const config = context.config();
  const domains = withLibvirt(libvirt => libvirt.domains());
  const seen = readNetworkWithUplinks(context.host, config);
  const taken = inventory(domains, seen);
  const rows = config.pools.flatMap(one => rowsOf(one, taken, seen.view.routes));
  if (options.json) context.print(readableJson(rows));
  else for (const line of render(rows, context.colour)) context.print(line);
}

function rowsOf(pool: Prefix, taken: Taken, routes: View['routes']): Row[] {
  const held = taken.holdings.filter(({ address }) => overlaps(pool, address.prefix));
  if (size(pool) > LISTED)
    return [
      ...held.map(holding => heldRow(holding, routes)),
      ...taken.host
        .filter(({ address }) => contains(pool, address))
        .map(({ address }) => freeRow(address, taken)),
    ];
  return [...addresses(pool)].flatMap(address => {
    const holding = held.find(one => contains(one.address.prefix, address));
    if (holding === undefined) return freeRow(address, taken);
    // A subnet is one row, at its first address.
    return holding.address.prefix.first === address.first ? heldRow(holding, routes) : [];
  });
}

function freeRow(address: Prefix, taken: Taken): Row {
  const device = taken.host.find(one => equal(one.address, address))?.device ?? null;
  const state = device !== null || isAmong(taken.own, address) ? 'reserved' : 'free';
  return { address: format(address), state, domain: null, bridge: null, interface: device };
}

function heldRow({ name, address: { prefix, bridge } }: Holding, routes: View['routes']): Row {
  const route = routes.get(routeKey(prefix, HOST_METRIC[prefix.family]));
  const state = route?.dev === bridge ? 'up' : 'assigned';
  return { address: format(prefix), state, domain: name, bridge, interface: null };
}

function render(rows: readonly Row[], colour: boolean): string[] {
  const colours = { free: 'dim', assigned: 'yellow', up: 'green', reserved: 'dim' } as const;
  const cells = rows.map((row): Cell[] => [
    row.address,
    { text: row.state, colour: colours[row.state] },
    row.domain ?? '-',
    row.bridge ?? (row.interface === null ? '-' : `${row.interface} (the host's)`),
  ]);
  return table(['ADDRESS', 'STATE', 'DOMAIN', 'BRIDGE'], cells, colour);
}
