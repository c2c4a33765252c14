/** What is known of the host, by the lines of the monitor. */
import type {
  CountedDomain,
  CountedShown,
  Counter,
  DomainShown,
  ElsewhereShown,
  EntryShown,
  FaultShown,
  FindingShown,
  HostShown,
  KeptBack,
  Line,
  OtherShown,
  PoolShown,
} from './lines.ts';

export interface HostState {
  readonly host: HostShown;
  /** UUID → domain. */
  readonly domains: ReadonlyMap<string, DomainShown>;
  /** Domains that have nothing of hnet's. */
  readonly others: readonly OtherShown[];
  /** Domains of the cluster's other hosts; null where none are known. */
  readonly elsewhere: readonly ElsewhereShown[] | null;
  readonly pools: readonly PoolShown[];
  readonly keptBack: KeptBack;
  readonly faults: readonly FaultShown[];
  readonly findings: readonly FindingShown[];
}

/** Bytes in a second, each way as the domain sees it. */
export interface Rate {
  readonly in: number;
  readonly out: number;
}

/** The rates between two counters. */
export interface Sample {
  /** In milliseconds since the epoch. */
  readonly at: number;
  /** By {@link addressKey}. */
  readonly rates: ReadonlyMap<string, Rate>;
}

interface Counters {
  readonly at: number;
  readonly addresses: ReadonlyMap<string, CountedShown>;
  /** UUID → what the rules of a domain have matched. */
  readonly domains: ReadonlyMap<string, CountedDomain>;
  readonly dropped: Readonly<Record<string, Counter>>;
}

export interface Seen {
  /** Undefined before the first look. */
  readonly state: HostState | undefined;
  readonly counters: Counters | undefined;
  /** The newest last. */
  readonly samples: readonly Sample[];
  /** Why the host can't be looked at now. */
  readonly error: string | null;
  /** What happened while the page was open, the newest first. */
  readonly happened: readonly EntryShown[];
}

export const NOTHING: Seen = {
  state: undefined,
  counters: undefined,
  samples: [],
  error: null,
  happened: [],
};

/** Ten minutes at the monitor's usual five seconds. */
const SAMPLES = 120;
const HAPPENED = 50;

export const addressKey = ({ uuid, address }: Pick<CountedShown, 'uuid' | 'address'>): string =>
  `${uuid} ${address}`;

/** What is known after a line. */
export function after(seen: Seen, line: Line): Seen {
  switch (line.type) {
    case 'state': {
      const { type: _, domains, ...parts } = line;
      return { ...seen, state: { ...parts, domains: byUuid(domains) }, error: null };
    }
    case 'counters':
      return counting(seen, line);
    case 'error':
      return { ...seen, error: line.error };
    case 'happened':
      return { ...seen, happened: [line.entry, ...seen.happened].slice(0, HAPPENED) };
    default:
      return seen.state === undefined ? seen : { ...seen, state: changed(seen.state, line) };
  }
}

const byUuid = <T extends { readonly uuid: string }>(all: readonly T[]): ReadonlyMap<string, T> =>
  new Map(all.map(one => [one.uuid, one]));

type Part = Exclude<Line, { type: 'state' | 'counters' | 'error' | 'happened' }>;

function changed(state: HostState, line: Part): HostState {
  if (line.type !== 'domain') {
    const { type: _, ...part } = line;
    return { ...state, ...part };
  }
  const domains = new Map(state.domains);
  if (line.domain === null) domains.delete(line.uuid);
  else domains.set(line.uuid, line.domain);
  return { ...state, domains };
}

function counting(seen: Seen, line: Extract<Line, { type: 'counters' }>): Seen {
  const before = seen.counters;
  const counters: Counters = {
    at: Date.parse(line.at),
    addresses: new Map(line.addresses.map(one => [addressKey(one), one])),
    domains: byUuid(line.domains),
    dropped: line.dropped,
  };
  const samples = before === undefined ? [] : [...seen.samples, sampleOf(before, counters)].slice(-SAMPLES);
  return { ...seen, counters, samples };
}

function sampleOf(before: Counters, now: Counters): Sample {
  const seconds = (now.at - before.at) / 1000;
  const rates = [...now.addresses].flatMap(([key, counted]) => {
    const then = before.addresses.get(key);
    return then === undefined || !(seconds > 0) ? [] : [[key, rateOf(then, counted, seconds)] as const];
  });
  return { at: now.at, rates: new Map(rates) };
}

/** Totals never shrink, unless the address went to another domain and came back. */
function rateOf(then: CountedShown, now: CountedShown, seconds: number): Rate {
  const grown = (way: 'in' | 'out'): number =>
    Math.max(0, now.total[way].bytes - then.total[way].bytes) / seconds;
  return { in: grown('in'), out: grown('out') };
}
