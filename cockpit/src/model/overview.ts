/** The table of all VMs: what is shown of each, and which of them in which order. */
import { readSubnet } from '../../../src/model/address.ts';
import { compare } from '../../../src/model/prefix.ts';
import { awayIn, hereIn } from './away.ts';
import type { AddressShown, DomainShown, ElsewhereShown } from './lines.ts';
import { addressKey, type HostState, type Rate, type Seen } from './seen.ts';

/** `none`: it has nothing of hnet's. `elsewhere`: another host of the cluster has it, and knows how it is. */
export type Health = 'ok' | 'faulty' | 'moving' | 'stopped' | 'none' | 'elsewhere';

export interface Row {
  readonly uuid: string;
  readonly name: string;
  readonly state: DomainShown['state'];
  /** Undefined outside of a cluster; null: no host is known to have it. */
  readonly host: Whereabouts | null | undefined;
  readonly addresses: readonly Pick<AddressShown, 'address' | 'bridge' | 'lease'>[];
  /** What its rules close; empty where it has nothing of hnet's. */
  readonly policy: string;
  readonly faults: readonly string[];
  readonly health: Health;
  readonly rate: Rate;
  /** Packets that its rules have dropped since it started; undefined where it has none. */
  readonly dropped: number | undefined;
}

/** A host of the cluster, and the one to which the VM is on its way. */
export interface Whereabouts {
  readonly name: string;
  readonly to: string | null;
}

export const healthOf = ({ state, faults }: Pick<DomainShown, 'state' | 'faults'>): Health => {
  if (faults.length > 0) return 'faulty';
  if (state === 'incoming' || state === 'leaving') return 'moving';
  return state === 'running' ? 'ok' : 'stopped';
};

const STILL: Rate = { in: 0, out: 0 };

/** The rate of a domain: the sum of its addresses', in bytes a second. */
export function rateOfDomain({ uuid, addresses }: Pick<DomainShown, 'uuid' | 'addresses'>, seen: Seen): Rate {
  const rates = seen.samples.at(-1)?.rates;
  return addresses.reduce((sum, { address }) => {
    const one = rates?.get(addressKey({ uuid, address })) ?? STILL;
    return { in: sum.in + one.in, out: sum.out + one.out };
  }, STILL);
}

/** A row for each domain of the host, also for those without an address, and of those on other hosts of the cluster. */
export function rowsOf(seen: Seen): Row[] {
  const { state } = seen;
  if (state === undefined) return [];
  return [
    ...[...hereIn(state).values()].map(one => rowHere(one, state, seen)),
    ...state.others.map(one => rowOfOther(one, selfIn(state))),
    ...awayIn(state).map(rowAway),
  ];
}

const NOTHING = { addresses: [], policy: '', faults: [], rate: STILL, dropped: undefined } as const;

const rowHere = (one: DomainShown, state: HostState, seen: Seen): Row => ({
  uuid: one.uuid,
  name: one.domain,
  state: one.state,
  host: hostOf(one, state),
  addresses: one.addresses,
  policy: one.policy,
  faults: one.faults,
  health: healthOf(one),
  rate: rateOfDomain(one, seen),
  dropped: droppedOf(one.uuid, seen),
});

const rowOfOther = ({ uuid, domain, state }: HostState['others'][number], host: Row['host']): Row => ({
  ...NOTHING,
  uuid,
  name: domain,
  state,
  host,
  health: 'none',
});

const rowAway = ({ uuid, domain, state, host, to, addresses }: ElsewhereShown): Row => ({
  ...NOTHING,
  uuid,
  name: domain,
  state,
  host: host === null ? null : { name: host, to },
  addresses: addresses.map(one => ({ ...one, lease: null })),
  health: 'elsewhere',
});

const selfIn = ({ host: { cluster } }: HostState): Whereabouts | undefined =>
  cluster === null ? undefined : { name: cluster.host, to: null };

/** Until it arrives it is on the host that it comes from. */
function hostOf({ uuid, state: is }: DomainShown, state: HostState): Row['host'] {
  const from = is === 'incoming' ? state.elsewhere?.find(one => one.uuid === uuid) : undefined;
  return from === undefined || from.host === null ? selfIn(state) : { name: from.host, to: from.to };
}

function droppedOf(uuid: string, { counters }: Seen): number | undefined {
  const counted = counters?.domains.get(uuid);
  return counted && Object.values(counted.dropped).reduce((sum, { packets }) => sum + packets, 0);
}

const COLUMNS = ['name', 'address', 'health', 'in', 'out', 'dropped'] as const;
export type Column = (typeof COLUMNS)[number];

/** Which VMs are shown. */
export const KINDS = ['all', 'running', 'stopped', 'faulty', 'none', 'elsewhere'] as const;
type Kind = (typeof KINDS)[number];

export interface Choice {
  readonly text: string;
  readonly kind: Kind;
  readonly column: Column;
  readonly isDescending: boolean;
  /** From 1. */
  readonly page: number;
}

export const FIRST_CHOICE: Choice = { text: '', kind: 'all', column: 'name', isDescending: false, page: 1 };

/** So many rows are drawn: a thousand would make each change a stutter. */
export const PAGE_ROWS = 50;

export interface Shown {
  readonly rows: readonly Row[];
  /** Of all pages. */
  readonly count: number;
  readonly page: number;
}

/** The rows that have each of some words. */
export function matching(rows: readonly Row[], { text, kind }: Pick<Choice, 'text' | 'kind'>): Row[] {
  const words = text.toLowerCase().split(/\s+/);
  return rows.filter(row => {
    if (!isOf(row, kind)) return false;
    const all = wordsOf(row);
    return words.every(word => all.includes(word));
  });
}

/** The rows that somebody has chosen to see. */
export function chosen(rows: readonly Row[], choice: Choice): Shown {
  const { column, isDescending, page } = choice;
  const found = matching(rows, choice);
  const sorted = found.toSorted(ORDERS[column]);
  if (isDescending) sorted.reverse();
  const last = Math.max(1, Math.ceil(found.length / PAGE_ROWS));
  const shown = Math.min(page, last);
  return {
    rows: sorted.slice((shown - 1) * PAGE_ROWS, shown * PAGE_ROWS),
    count: found.length,
    page: shown,
  };
}

function isOf({ state, health }: Row, kind: Kind): boolean {
  if (kind === 'all') return true;
  if (kind === 'running') return state === 'running' || state === 'leaving';
  return kind === 'stopped' ? state === kind : health === kind;
}

const wordsOf = ({ name, uuid, host, addresses, policy }: Row): string =>
  [
    name,
    uuid,
    policy,
    host?.name ?? '',
    host?.to ?? '',
    ...addresses.flatMap(({ address, bridge, lease }) => [address, bridge, lease ?? '']),
  ]
    .join('\n')
    .toLowerCase();

type Order = (a: Row, b: Row) => number;

const { compare: compareText } = new Intl.Collator('en', { numeric: true });
const byName: Order = (a, b) => compareText(a.name, b.name);
/** What is wrong comes first, then what is busy. */
export const HEALTHS: readonly Health[] = ['faulty', 'moving', 'ok', 'stopped', 'none', 'elsewhere'];

/** VMs without an address come last. */
function byAddress(a: Row, b: Row): number {
  const [first, second] = [a, b].map(({ addresses: [one] }) => readSubnet(one?.address ?? '')[0]);
  if (first === undefined || second === undefined)
    return Number(first === undefined) - Number(second === undefined);
  return compare(first, second);
}

const ORDERS: Readonly<Record<Column, Order>> = {
  name: byName,
  address: (a, b) => byAddress(a, b) || byName(a, b),
  health: (a, b) => HEALTHS.indexOf(a.health) - HEALTHS.indexOf(b.health) || byName(a, b),
  in: (a, b) => a.rate.in - b.rate.in || byName(a, b),
  out: (a, b) => a.rate.out - b.rate.out || byName(a, b),
  dropped: (a, b) => (a.dropped ?? -1) - (b.dropped ?? -1) || byName(a, b),
};
