/**
 * The lines of `hnet monitor --json`: first the whole state, then what has changed of it. Each line replaces a part of the state,
 * so a reader keeps the last of each kind, and of domains the last of each UUID.
 */
import type { Elsewhere } from '../../assign/elsewhere.ts';
import type { Diagnosis } from '../../doctor/diagnosis.ts';
import { exactJson } from '../../model/json.ts';
import type { Fault } from '../../repair/fault.ts';
import type { Counted, CountedDomain, KeptBack, Other, Shown, ShownPool } from '../views/shapes.ts';

/** Of each line. It changes if a key goes away or changes its meaning. */
export const MONITOR_VERSION = 1;

/** All that is shown of a host but for its counters. */
export interface State {
  readonly host: object;
  readonly domains: readonly Shown[];
  /** Domains that have nothing of hnet's. */
  readonly others: readonly Other[];
  /** Domains of the cluster's other hosts; null where this host is alone, or etcd has not answered yet. */
  readonly elsewhere: readonly Elsewhere[] | null;
  readonly pools: readonly ShownPool[];
  readonly keptBack: KeptBack;
  /** What `hnet check` finds. */
  readonly faults: readonly Fault[];
  /** What `hnet doctor` finds. */
  readonly findings: readonly Diagnosis[];
}

/** Told as a whole where something of it has changed. Domains are told one by one. */
const PARTS = ['host', 'others', 'elsewhere', 'pools', 'keptBack', 'faults', 'findings'] as const;
type Part = (typeof PARTS)[number];

/** A line without its head. */
export type Line =
  | ({ readonly type: 'state' } & State)
  | { [P in Part]: { readonly type: P } & Pick<State, P> }[Part]
  | { readonly type: 'domain'; readonly uuid: string; readonly domain: Shown | null }
  | { readonly type: 'happened'; readonly entry: object }
  | {
      readonly type: 'counters';
      readonly addresses: readonly Counted[];
      readonly domains: readonly CountedDomain[];
      readonly dropped: Readonly<Record<string, object>>;
    }
  /** Why the host can't be looked at now; null: it can be again. */
  | { readonly type: 'error'; readonly error: string | null };

/** What a reader of the earlier state must be told to have the later one. */
export function changesBetween(before: State, after: State): Line[] {
  const known = new Map(before.domains.map(one => [one.uuid, exactJson(one)]));
  const kept = new Set(after.domains.map(({ uuid }) => uuid));
  return [
    ...before.domains
      .filter(({ uuid }) => !kept.has(uuid))
      .map(({ uuid }) => ({ type: 'domain', uuid, domain: null }) as const),
    ...after.domains
      .filter(one => known.get(one.uuid) !== exactJson(one))
      .map(domain => ({ type: 'domain', uuid: domain.uuid, domain }) as const),
    ...PARTS.filter(part => exactJson(before[part]) !== exactJson(after[part])).map(part =>
      partOf(part, after),
    ),
  ];
}

const partOf = (part: Part, state: State): Line => ({ type: part, [part]: state[part] }) as Line;

/** The state that a reader has after a line; undefined before the first. */
export function following(state: State | undefined, line: Line): State | undefined {
  if (line.type === 'state') return line;
  if (state === undefined) return undefined;
  switch (line.type) {
    case 'domain': {
      const others = state.domains.filter(({ uuid }) => uuid !== line.uuid);
      return { ...state, domains: line.domain === null ? others : [...others, line.domain] };
    }
    case 'happened':
    case 'counters':
    case 'error':
      return state;
    default: {
      const { type: _, ...part } = line;
      return { ...state, ...part };
    }
  }
}
