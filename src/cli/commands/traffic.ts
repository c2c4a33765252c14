import prettyBytes from 'pretty-bytes';
import type { Firewall } from '../../firewall/rules/backend.ts';
import { countedOf } from '../../firewall/rules/counted.ts';
import { addUp, type Drops, ownDrops, sharedDrops } from '../../firewall/rules/drops.ts';
import type { Context } from '../../host/context.ts';
import { look } from '../../host/observe/parts.ts';
import { observeUplinks } from '../../host/observe/uplink.ts';
import { type KnownDomain, pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { firewallInForce } from '../../lifecycle/in-force.ts';
import { format } from '../../model/address.ts';
import type { Attachment } from '../../model/attachment.ts';
import type { Address } from '../../model/bridge.ts';
import type { Counter } from '../../model/counter.ts';
import { addressesOf } from '../../model/domain.ts';
import { NO_TRAFFIC, type Traffic } from '../../model/traffic.ts';
import type { FilterView } from '../../model/view.ts';
import { newerAccounts, readAccount, totalOf } from '../../state/ledger.ts';
import { readAttachments } from '../../state/records.ts';
import { prometheus } from '../prometheus.ts';
import { type Cell, table } from '../table.ts';

interface Row {
  readonly domain: string;
  readonly uuid: string;
  readonly address: string;
  /** Since the domain started; zero if it doesn't run. */
  readonly sinceStart: Traffic;
  readonly total: Traffic;
}

/** Shows bytes and packets of every address, in and out, and what was dropped and why. */
export function traffic(name: string | undefined, options: { prometheus?: boolean }, context: Context): void {
  const all = withLibvirt(libvirt => libvirt.domains());
  const chosen = name === undefined ? all : [pick(all, name)];
  const firewall = firewallInForce(context.config());
  const filter = look(context.host, firewall.looks.all);
  const attachments = readAttachments();
  const attached = new Map(attachments.map(({ domain, addresses }) => [domain, addresses]));
  const rows = chosen.flatMap(known => rowsOf(known, filter, attached.get(known.domain.uuid)));
  const drops = dropsOf(attachments, firewall, filter, context);
  for (const why of newerAccounts()) context.warn(why);
  context.answer({ addresses: rows, dropped: Object.fromEntries(drops) });
  if (options.prometheus) context.print(metrics(rows, drops).trimEnd());
  else
    for (const line of render(rows, name === undefined ? drops : new Map(), context.colour))
      context.print(line);
}

function rowsOf({ domain, next }: KnownDomain, filter: FilterView, attached?: readonly Address[]): Row[] {
  return (attached ?? addressesOf(next)).map(({ prefix }) => {
    const counted = countedOf(prefix, filter);
    const account = readAccount(prefix);
    const own = account?.domain === domain.uuid ? account : undefined;
    const total = totalOf(own, counted);
    return {
      domain: domain.name,
      uuid: domain.uuid,
      address: format(prefix),
      sinceStart: counted ?? NO_TRAFFIC,
      total,
    };
  });
}

function dropsOf(
  attachments: readonly Attachment[],
  firewall: Firewall,
  filter: FilterView,
  { host, config }: Context,
): Drops {
  const shared = sharedDrops(config(), observeUplinks(host, config()), firewall, filter);
  return addUp([shared, ...attachments.map(one => ownDrops(one, firewall, filter))]);
}

const BY_ADDRESS = [
  'DOMAIN',
  'ADDRESS',
  ...['IN', 'OUT', 'TOTAL IN', 'TOTAL OUT'].flatMap(one => [one, 'PACKETS']),
];
const BY_CAUSE = ['DROPPED', 'PACKETS', 'BYTES'];

function render(rows: readonly Row[], drops: Drops, colour: boolean): string[] {
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

function metrics(rows: readonly Row[], drops: Drops): string {
  const ofAddress = (name: string, help: string, read: (traffic: Traffic) => bigint): string => {
    const samples = rows.map(({ domain, address, total }) => [{ domain, address }, read(total)] as const);
    return prometheus(name, help, samples);
  };
  const ofCause = (unit: keyof Counter, help: string): string => {
    const samples = [...drops].map(([cause, counter]) => [{ cause }, counter[unit]] as const);
    return prometheus(`hnet_dropped_${unit}_total`, help, samples);
  };
  return [
    ofAddress('hnet_receive_bytes_total', 'Bytes towards the domain.', one => one.in.bytes),
    ofAddress('hnet_receive_packets_total', 'Packets towards the domain.', one => one.in.packets),
    ofAddress('hnet_transmit_bytes_total', 'Bytes from the domain.', one => one.out.bytes),
    ofAddress('hnet_transmit_packets_total', 'Packets from the domain.', one => one.out.packets),
    ofCause('bytes', 'Bytes dropped since the filter was set up, by cause.'),
    ofCause('packets', 'Packets dropped since the filter was set up, by cause.'),
  ].join('');
}
