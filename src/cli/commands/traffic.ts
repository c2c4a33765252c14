import prettyBytes from 'pretty-bytes';
import type { Drops } from '../../firewall/rules/drops.ts';
import type { Context } from '../../host/context.ts';
import { look } from '../../host/observe/parts.ts';
import { type KnownDomain, pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { firewallInForce } from '../../lifecycle/in-force.ts';
import { format } from '../../model/address.ts';
import { isFact } from '../../model/journal.ts';
import { readJournal } from '../../state/journal-files.ts';
import { newerAccounts, trafficByMonth } from '../../state/ledger.ts';
import { exposition } from '../metrics/exposition.ts';
import { trafficMetrics } from '../metrics/traffic.ts';
import { type Cell, table } from '../table.ts';
import { countersOf } from '../views/counters.ts';
import type { Counted } from '../views/shapes.ts';

/** Shows bytes and packets of every address, in and out, and what was dropped and why. */
export function traffic(
  name: string | undefined,
  options: { prometheus?: boolean; by?: 'month' },
  context: Context,
): void {
  const all = withLibvirt(libvirt => libvirt.domains());
  if (options.by !== undefined) {
    byMonth(name, all, context);
    return;
  }
  const chosen = name === undefined ? all : [pick(all, name)];
  for (const why of newerAccounts()) context.warn(why);
  const { addresses: rows, drops, unclear } = countersOf(chosen, context);
  for (const chain of unclear)
    context.warn(
      `the chain ${chain} has other rules than it should have, so what it dropped isn't counted here; hnet sync mends it`,
    );
  context.answer({ addresses: rows, dropped: Object.fromEntries(drops) });
  if (options.prometheus) context.print(exposition(trafficMetrics(rows, drops)).trimEnd());
  else
    for (const line of render(rows, name === undefined ? drops : new Map(), context.colour))
      context.print(line);
}

/** The traffic of each month, of domains that libvirt doesn't know any more too: those are called as they were last. */
function byMonth(name: string | undefined, all: readonly KnownDomain[], context: Context): void {
  const filter = look(context.host, firewallInForce(context.config()).looks.all);
  const names = new Map([
    ...readJournal().entries.flatMap(entry => (isFact(entry) ? [[entry.uuid, entry.domain] as const] : [])),
    ...all.map(({ domain }) => [domain.uuid, domain.name] as const),
  ]);
  const months = trafficByMonth(filter)
    .map(({ domain: uuid, address, ...rest }) => ({
      ...rest,
      domain: names.get(uuid) ?? uuid,
      uuid,
      address: format(address),
    }))
    .filter(one => name === undefined || one.domain === name || one.uuid === name)
    .toSorted((a, b) => compareText(a.month, b.month) || compareText(a.domain, b.domain));
  context.answer({ months });
  const cells = months.map(({ month, domain, address, traffic: { in: received, out: sent } }) => [
    month,
    domain,
    address,
    size(received.bytes),
    received.packets,
    size(sent.bytes),
    sent.packets,
  ]);
  for (const line of table(BY_MONTH, cells, context.colour)) context.print(line);
}

const BY_MONTH = ['MONTH', 'DOMAIN', 'ADDRESS', 'IN', 'PACKETS', 'OUT', 'PACKETS'];
const compareText = new Intl.Collator('en', { numeric: true }).compare;

const BY_ADDRESS = [
  'DOMAIN',
  'ADDRESS',
  ...['IN', 'OUT', 'TOTAL IN', 'TOTAL OUT'].flatMap(one => [one, 'PACKETS']),
];
const BY_CAUSE = ['DROPPED', 'PACKETS', 'BYTES'];

function render(rows: readonly Counted[], drops: Drops, colour: boolean): string[] {
  const cells = rows.map(({ domain, address, sinceStart, total }) => {
    const counters = [sinceStart.in, sinceStart.out, total.in, total.out];
    return [domain, address, ...counters.flatMap(({ bytes, packets }) => [size(bytes), packets])];
  });
  const dropped = [...drops].filter(([, { packets }]) => packets > 0n);
  const causes = dropped.map(([cause, { packets, bytes }]) => [cause, packets, size(bytes)]);
  return [
    ...table(BY_ADDRESS, cells, colour),
    ...(causes.length === 0 ? [] : ['', ...table(BY_CAUSE, causes, colour)]),
  ];
}

const size = (bytes: bigint): Cell => ({ amount: prettyBytes(bytes, { binary: true }) });
