/** The addresses of a pool, a cell each: whose they are. */
import { format, readSubnet } from '../../../src/model/address.ts';
import { addresses, contains, isSingle, type Prefix, size } from '../../../src/model/prefix.ts';
import { awayIn, hereIn } from './away.ts';
import type { DomainShown, ElsewhereShown, KeptBack, PoolShown } from './lines.ts';
import type { HostState } from './seen.ts';

/** The last two are found in a cluster alone. */
export const CELL_STATES = ['free', 'assigned', 'up', 'faulty', 'reserved', 'moving', 'elsewhere'] as const;
export type CellState = (typeof CELL_STATES)[number];

/** An address, or of a pool without cells a subnet that a domain holds. */
export interface Cell {
  readonly address: string;
  readonly state: CellState;
  /** Who has it. */
  readonly holder: Holder | undefined;
  /** The interface on which the host itself has it, or the other host that does; neither: a gateway's, or every router's. */
  readonly own: { readonly interface: string | null; readonly host: string | null } | undefined;
  readonly reservation: KeptBack['reservations'][number] | undefined;
}

export interface Holder {
  readonly uuid: string;
  readonly domain: string;
  /** The other host of the cluster that has it; null: none is known to. Undefined: it is here. */
  readonly host: string | null | undefined;
  /** What the domain holds: a subnet, perhaps. */
  readonly held: string;
  readonly bridge: string;
  readonly lease: string | null;
  readonly faults: readonly string[];
}

interface Part {
  readonly prefix: Prefix;
  readonly cell: Omit<Cell, 'address'>;
}

interface Reserved {
  readonly prefix: Prefix;
  readonly reservation: KeptBack['reservations'][number];
}

/** What of all pools isn't free. Of two parts for one address the first counts. */
export function partsOf(state: Pick<HostState, 'domains' | 'elsewhere' | 'keptBack'>): Part[] {
  const reservations = state.keptBack.reservations.flatMap(reservation =>
    readSubnet(reservation.address).map((prefix): Reserved => ({ prefix, reservation })),
  );
  const holders = [
    ...[...hereIn(state).values()].flatMap(holdersHere),
    ...awayIn(state).flatMap(holdersAway),
  ];
  return [
    ...holders.flatMap(one => heldParts(one, reservations)),
    ...state.keptBack.own.flatMap(one => ownParts(one, reservations)),
    ...reservations.map(
      ({ prefix, reservation }): Part => ({ prefix, cell: { ...FREE, state: 'reserved', reservation } }),
    ),
  ];
}

interface Held {
  readonly state: CellState;
  readonly holder: Holder;
}

const holdersHere = ({ uuid, domain, state, addresses: all }: DomainShown): Held[] =>
  all.map(({ address: held, bridge, lease, faults }) => ({
    state: stateOf(state, faults),
    holder: { uuid, domain, host: undefined, held, bridge, lease, faults },
  }));

const holdersAway = ({ uuid, domain, host, addresses: all }: ElsewhereShown): Held[] =>
  all.map(({ address: held, bridge }) => ({
    state: 'elsewhere',
    holder: { uuid, domain, host, held, bridge, lease: null, faults: [] },
  }));

const heldParts = ({ state, holder }: Held, reservations: readonly Reserved[]): Part[] =>
  readSubnet(holder.held).map(prefix => ({
    prefix,
    cell: { state, holder, own: undefined, reservation: reservationOf(prefix, reservations) },
  }));

/** What a host, or a gateway, has itself. */
const ownParts = (
  { address, interface: device, host }: KeptBack['own'][number],
  all: readonly Reserved[],
): Part[] =>
  readSubnet(address).map(prefix => ({
    prefix,
    cell: {
      state: 'reserved',
      holder: undefined,
      own: { interface: device, host },
      reservation: reservationOf(prefix, all),
    },
  }));

const reservationOf = (prefix: Prefix, all: readonly Reserved[]): Cell['reservation'] =>
  all.find(one => contains(one.prefix, prefix))?.reservation;

function stateOf(state: DomainShown['state'], faults: readonly string[]): CellState {
  if (faults.length > 0) return 'faulty';
  if (state === 'incoming' || state === 'leaving') return 'moving';
  return state === 'running' ? 'up' : 'assigned';
}

/** So many cells are shown together: a /24. */
const BLOCK = 256n;
const BLOCK_LENGTH = 24;
/** The most cells in a line: of a wide page and of a narrow one. */
const COLUMNS = { wide: 16, narrow: 8 };
/** A pool of more blocks than this is a list of what is held. */
const BLOCKS = 256n;

export interface PoolView {
  readonly pool: PoolShown;
  /** The parts of which one is shown at a time, as subnets; one for a small pool, none where it is a list. */
  readonly blocks: readonly string[];
}

/** How a pool is shown. IPv6 is a list: nobody looks at 2⁶⁴ cells. */
export function poolView(pool: PoolShown): PoolView {
  const [prefix] = readSubnet(pool.pool);
  if (prefix === undefined || prefix.family === 6 || size(prefix) > BLOCK * BLOCKS)
    return { pool, blocks: [] };
  if (size(prefix) <= BLOCK) return { pool, blocks: [pool.pool] };
  const blocks = Array.from({ length: Number(size(prefix) / BLOCK) }, (_, at) =>
    format({ family: 4, first: prefix.first + BigInt(at) * BLOCK, length: BLOCK_LENGTH }),
  );
  return { pool, blocks };
}

/** So many cells stand in a line of a block: all of a /29, sixteen of a /24. */
export const columnsOf = (count: number, isNarrow = false): number =>
  Math.min(COLUMNS[isNarrow ? 'narrow' : 'wide'], count);

const FREE: Omit<Cell, 'address'> = {
  state: 'free',
  holder: undefined,
  own: undefined,
  reservation: undefined,
};

/** Every address of a block, in ascending order. */
export function cellsOf(block: string, parts: readonly Part[]): Cell[] {
  const [prefix] = readSubnet(block);
  if (prefix === undefined) return [];
  const near = parts.filter(one => contains(prefix, one.prefix) || contains(one.prefix, prefix));
  const singles = new Map(
    near
      .filter(one => isSingle(one.prefix))
      .toReversed()
      .map(one => [one.prefix.first, one.cell]),
  );
  const ranges = near.filter(one => !isSingle(one.prefix));
  return [...addresses(prefix)].map(address => ({
    address: format(address),
    ...(ranges.find(one => one.cell.holder !== undefined && contains(one.prefix, address))?.cell ??
      singles.get(address.first) ??
      ranges.find(one => contains(one.prefix, address))?.cell ??
      FREE),
  }));
}

/** What of a pool isn't free, in ascending order. */
export function listOf(pool: string, parts: readonly Part[]): Cell[] {
  const [prefix] = readSubnet(pool);
  if (prefix === undefined) return [];
  const found = parts.filter(one => contains(prefix, one.prefix));
  const unique = new Map(found.toReversed().map(one => [format(one.prefix), one]));
  return [...unique]
    .toSorted(([, a], [, b]) => (a.prefix.first < b.prefix.first ? -1 : 1))
    .map(([address, { cell }]) => ({ address, ...cell }));
}

/** How many of each state there are. */
export const countStates = (cells: readonly Cell[]): Readonly<Record<CellState, number>> =>
  Object.fromEntries(
    CELL_STATES.map(state => [state, cells.filter(one => one.state === state).length]),
  ) as Record<CellState, number>;
