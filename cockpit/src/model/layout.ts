/** Where the things of the picture stand: from left to right on a wide page, from top to bottom on a narrow one. */

/** `more`: the VMs that there is no room for. `peer` and `wire`: the other hosts of a cluster, and what leads to them. */
export type Kind = 'internet' | 'uplink' | 'host' | 'bridge' | 'vm' | 'more' | 'peer' | 'wire';

/** How many there are of what comes in any number. */
interface Counts {
  readonly uplinks: number;
  readonly peers: number;
  /** The rows of VMs, with that of the VMs that there is no room for. */
  readonly ends: number;
}

/** Its left edge and its middle, in the picture's units. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Of the first, second … of a kind, from 0. */
  readonly box: (kind: Kind, at: number) => Box;
  /** What joins two of them, as the `d` of an SVG path. */
  readonly path: (from: Box, to: Box) => string;
}

export const NODE_HEIGHT = 76;
const ROW = NODE_HEIGHT + 14;

interface Columns {
  readonly x: Readonly<Record<Kind, number>>;
  readonly width: Readonly<Record<Kind, number>>;
}

const WIDE: Columns = {
  x: { internet: 0, peer: 0, uplink: 168, wire: 168, host: 412, bridge: 676, vm: 880, more: 880 },
  width: { internet: 112, peer: 112, uplink: 188, wire: 188, host: 208, bridge: 148, vm: 208, more: 208 },
};
/** What is below something is a little to the right of it. */
const NARROW: Columns = {
  x: { internet: 0, uplink: 20, host: 0, bridge: 20, wire: 20, vm: 168, more: 168, peer: 168 },
  width: { internet: 128, uplink: 188, host: 188, bridge: 128, wire: 128, vm: 168, more: 168, peer: 168 },
};
/** How far from its left edge a line leaves a thing downwards. */
const STEM = 10;

type Rows = Readonly<Record<Kind, (at: number) => number>>;

export const layoutFor = (counts: Counts, isNarrow: boolean): Layout =>
  isNarrow ? downwards(counts) : sidewards(counts);

/** The peers stand below the Internet, and their wire below the uplinks. */
function sidewards({ uplinks, peers, ends }: Counts): Layout {
  const rows = Math.max(ends, uplinks + peers, 1);
  const middle = (rows - 1 - peers) / 2;
  const below = Math.max(middle + (uplinks + 1) / 2, rows - peers);
  const inOrder = (at: number): number => at;
  const places: Rows = {
    internet: () => middle,
    uplink: at => middle + at - (uplinks - 1) / 2,
    host: () => (rows - 1) / 2,
    bridge: inOrder,
    vm: inOrder,
    more: inOrder,
    peer: at => below + at,
    wire: () => below + (peers - 1) / 2,
  };
  return { ...sheet(WIDE, places, rows), path: curve };
}

/** The Internet, the uplinks, the host; below it each bridge with its VM, and the wire with the peers. */
function downwards({ uplinks, peers, ends }: Counts): Layout {
  const first = uplinks + 2;
  const after = (start: number) => (at: number) => start + at;
  const places: Rows = {
    internet: after(0),
    uplink: after(1),
    host: after(uplinks + 1),
    bridge: after(first),
    vm: after(first),
    more: after(first),
    peer: after(first + ends),
    wire: after(first + ends),
  };
  return { ...sheet(NARROW, places, first + ends + peers), path: branch };
}

const sheet = ({ x, width }: Columns, places: Rows, rows: number): Omit<Layout, 'path'> => ({
  width: x.vm + width.vm,
  height: (rows - 1) * ROW + NODE_HEIGHT,
  box: (kind, at) => ({ x: x[kind], y: places[kind](at) * ROW + NODE_HEIGHT / 2, width: width[kind] }),
});

/** From the right edge of the one to the left edge of the other. */
function curve(from: Box, to: Box): string {
  const begin = from.x + from.width;
  const middle = (begin + to.x) / 2;
  return `M${begin} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
}

/** The same between two that stand side by side; or else down from the upper one, and to the edge of the lower one. */
function branch(one: Box, other: Box): string {
  const [left, right] = one.x < other.x ? [one, other] : [other, one];
  if (left.x + left.width <= right.x) return curve(left, right);
  const [upper, lower] = one.y < other.y ? [one, other] : [other, one];
  const [stem, bottom] = [upper.x + STEM, upper.y + NODE_HEIGHT / 2];
  return lower.x > stem
    ? `M${stem} ${bottom}V${lower.y}H${lower.x}`
    : `M${stem} ${bottom}V${lower.y - NODE_HEIGHT / 2}`;
}
