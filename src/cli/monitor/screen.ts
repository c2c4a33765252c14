/** What `hnet top` shows, by the lines of the monitor; pure. */
import prettyBytes from 'pretty-bytes';
import type { Traffic } from '../../model/traffic.ts';
import { type Cell, table } from '../table.ts';
import type { Counted } from '../views/shapes.ts';
import { following, type Line, type State } from './lines.ts';

/** What is known of the host, and since when it is counted. */
interface Screen {
  readonly state: State | undefined;
  readonly counters: Counters | undefined;
  readonly before: Counters | undefined;
  readonly error: string | null;
  /** The last thing that happened. */
  readonly happened: string | undefined;
}

/** The counters of a moment, in milliseconds since the epoch. */
interface Counters {
  readonly at: number;
  readonly addresses: readonly Counted[];
}

export const EMPTY_SCREEN: Screen = {
  state: undefined,
  counters: undefined,
  before: undefined,
  error: null,
  happened: undefined,
};

/** The screen after a line. @param now in milliseconds since the epoch */
export function drawn(screen: Screen, line: Line, now: number): Screen {
  const state = following(screen.state, line);
  if (line.type === 'counters')
    return { ...screen, before: screen.counters, counters: { at: now, addresses: line.addresses } };
  if (line.type === 'error') return { ...screen, error: line.error };
  if (line.type === 'happened') return { ...screen, happened: wordsOf(line.entry) };
  return { ...screen, state };
}

const wordsOf = (entry: object): string =>
  ['at', 'is', 'what', 'address', 'domain']
    .map(key => Reflect.get(entry, key))
    .filter(one => typeof one === 'string')
    .join(' ');

/** Bytes in a second, each way. */
interface Rate {
  readonly in: number;
  readonly out: number;
}

/** The busiest address first. @param size rows of the terminal; it cuts off lines that are too long */
export function screenText(
  { state, counters, before, error, happened }: Screen,
  size: { readonly rows: number },
  colour: boolean,
): string[] {
  if (state === undefined) return [error ?? 'Looking …'];
  const rows = rowsOf(state, counters, before).sort(
    (a, b) => b.rate.in + b.rate.out - a.rate.in - a.rate.out,
  );
  const head = [
    summaryOf(state),
    ...(error === null ? [] : [error]),
    ...state.faults.slice(0, 3).map(({ what, why }) => `! ${what}: ${why}`),
    ...(happened === undefined ? [] : [happened]),
    '',
  ];
  const body = table(HEADER, rows.map(cellsOf), colour);
  return [...head, ...body].slice(0, size.rows - 1);
}

const HEADER = ['DOMAIN', 'STATE', 'ADDRESS', 'IN/s', 'OUT/s', 'TOTAL IN', 'TOTAL OUT', 'HEALTH'];

function summaryOf({ domains, pools, faults, findings }: State): string {
  const running = domains.filter(({ state }) => state === 'running').length;
  const free = pools.map(one => `${one.pool} ${one.free} of ${one.size} free`).join(', ');
  return `${running} of ${domains.length} domains run; ${free}; ${faults.length} faults, ${findings.length} findings (q ends this)`;
}

interface Row {
  readonly domain: string;
  readonly state: string;
  readonly address: string;
  readonly rate: Rate;
  readonly total: Traffic | undefined;
  readonly faults: readonly string[];
}

function rowsOf(state: State, counters: Counters | undefined, before: Counters | undefined): Row[] {
  return state.domains.flatMap(({ domain, uuid, state: running, addresses }) =>
    addresses.map(({ address, faults }) => {
      const find = (all: Counters | undefined): Counted | undefined =>
        all?.addresses.find(one => one.uuid === uuid && one.address === address);
      const seconds = ((counters?.at ?? 0) - (before?.at ?? 0)) / 1000;
      const [now, then] = [find(counters), find(before)];
      return { domain, state: running, address, rate: rateOf(now, then, seconds), total: now?.total, faults };
    }),
  );
}

function rateOf(now: Counted | undefined, then: Counted | undefined, seconds: number): Rate {
  if (now === undefined || then === undefined || !(seconds > 0)) return { in: 0, out: 0 };
  const grown = (way: 'in' | 'out'): number =>
    Math.max(0, Number(now.total[way].bytes - then.total[way].bytes)) / seconds;
  return { in: grown('in'), out: grown('out') };
}

const cellsOf = ({ domain, state, address, rate, total, faults }: Row): Cell[] => [
  domain,
  { text: state, colour: state === 'running' ? 'green' : 'dim' },
  address,
  amount(rate.in),
  amount(rate.out),
  amount(total?.in.bytes ?? 0n),
  amount(total?.out.bytes ?? 0n),
  faults.length === 0
    ? { text: state === 'running' ? 'ok' : '-', colour: 'green' }
    : { text: faults[0] ?? '', colour: 'red' },
];

const amount = (bytes: bigint | number): Cell => ({
  amount: prettyBytes(typeof bytes === 'number' ? Math.round(bytes) : bytes, { binary: true }),
});
