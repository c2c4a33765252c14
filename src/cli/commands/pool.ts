import { seenElsewhere } from '../../assign/elsewhere.ts';
import { inventory } from '../../assign/inventory.ts';
import { freeOf, type PoolUse, poolUse, type Use, type UseState } from '../../assign/pools.ts';
import type { Context } from '../../host/context.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { withLibvirt } from '../../libvirt/libvirt.ts';
import { format } from '../../model/address.ts';
import { compare, type Prefix } from '../../model/prefix.ts';
import { UsageRefusal } from '../../model/refusal.ts';
import { readReservations } from '../../state/reservations.ts';
import { type Cell, table } from '../table.ts';
import { poolShown, poolTable } from '../views/pools.ts';
import type { ShownPool } from '../views/shapes.ts';

/** So many free addresses of one pool are listed: nobody reads a /64 address by address. */
const LISTED = 4096;

interface PoolOptions {
  /** Every address. */
  readonly all?: boolean;
  /** The free ones alone. */
  readonly free?: boolean;
}

/** One address, or one subnet that a domain holds. */
interface Row {
  readonly address: string;
  readonly pool: string;
  readonly state: UseState | 'free';
  readonly domain: string | null;
  readonly uuid: string | null;
  readonly bridge: string | null;
  /** The other host of the cluster that has the domain, or has the address itself. */
  readonly host: string | null;
  /** The interface on which the host itself has it. */
  readonly interface: string | null;
  /** Where the operator keeps it, for whom; null: for nobody. */
  readonly reservation: { readonly for: string | null } | null;
}

/** Shows how much of each pool is free, and which addresses are in use, by whom; or all, or the free ones. */
export function pool(options: PoolOptions, context: Context): void {
  if (options.all && options.free)
    throw new UsageRefusal('Cannot use --all with --free: all addresses hold the free ones too');
  const config = context.config();
  const domains = withLibvirt(libvirt => libvirt.domains());
  const seen = readNetworkWithUplinks(context.host, config);
  const elsewhere = seenElsewhere(context);
  const taken = inventory(domains, seen, config, elsewhere);
  const reservations = elsewhere?.reservations ?? readReservations();
  const uses = config.pools.map(one => poolUse(one, taken, seen.view.routes, reservations));
  const rows = uses.flatMap(one => rowsOf(one, options));
  const pools = uses.map(poolShown);
  context.answer({ pools, addresses: rows });
  if (options.free) for (const { address } of rows) context.print(address);
  else
    for (const line of [...poolTable(pools, context.colour), ...render(rows, context.colour)])
      context.print(line);
  for (const one of pools) warnOfMore(one, options, context);
}

function rowsOf(one: PoolUse, { all, free }: PoolOptions): Row[] {
  const pool = format(one.pool);
  const used = free ? [] : one.uses.map(use => ({ prefix: use.prefix, row: usedRow(use, pool) }));
  const open = all || free ? listed(one).map(prefix => ({ prefix, row: freeRow(prefix, pool) })) : [];
  return [...used, ...open].toSorted((a, b) => compare(a.prefix, b.prefix)).map(({ row }) => row);
}

/** The first free addresses of a pool. */
function listed(one: PoolUse): Prefix[] {
  const found: Prefix[] = [];
  for (const prefix of freeOf(one)) {
    if (found.length === LISTED) break;
    found.push(prefix);
  }
  return found;
}

function warnOfMore(one: ShownPool, { all, free }: PoolOptions, { warn }: Context): void {
  const { pool, free: count } = one;
  if ((all || free) && count > LISTED)
    warn(`of ${pool} only the first ${LISTED} of ${count} free addresses are listed`);
}

const freeRow = (prefix: Prefix, pool: string): Row => ({
  address: format(prefix),
  pool,
  state: 'free',
  domain: null,
  uuid: null,
  bridge: null,
  host: null,
  interface: null,
  reservation: null,
});

const usedRow = ({ prefix, state, holding, device, peer, reservation }: Use, pool: string): Row => ({
  address: format(prefix),
  pool,
  state,
  domain: holding?.name ?? null,
  uuid: holding?.domain ?? null,
  bridge: holding?.address.bridge ?? null,
  host: holding?.host ?? peer ?? null,
  interface: device ?? null,
  reservation: reservation === undefined ? null : { for: reservation.name ?? null },
});

const keptFor = ({ reservation }: Row): string =>
  reservation === null ? '-' : reservation.for === null ? '(for nobody)' : `(for ${reservation.for})`;

function whoseOwn({ interface: device, host }: Row): string {
  if (device !== null) return `${device} (the host's)`;
  return host === null ? '-' : `${host} itself`;
}

function render(rows: readonly Row[], colour: boolean): string[] {
  if (rows.length === 0) return [];
  const colours = { free: 'dim', assigned: 'yellow', up: 'green', reserved: 'dim' } as const;
  const cells = rows.map((row): Cell[] => [
    row.address,
    { text: row.state, colour: colours[row.state] },
    row.domain === null ? keptFor(row) : `${row.domain}${row.host === null ? '' : ` on ${row.host}`}`,
    row.bridge ?? whoseOwn(row),
  ]);
  return ['', ...table(['ADDRESS', 'STATE', 'DOMAIN', 'BRIDGE'], cells, colour)];
}
