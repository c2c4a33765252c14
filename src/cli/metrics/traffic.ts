import type { Drops } from '../../firewall/rules/drops.ts';
import type { Counter } from '../../model/counter.ts';
import type { Traffic } from '../../model/traffic.ts';
import type { Metric } from './exposition.ts';

interface Row {
  readonly domain: string;
  readonly address: string;
  readonly total: Traffic;
}

/** What each address received and sent, and what was dropped. */
export const trafficMetrics = (rows: readonly Row[], drops: Drops): Metric[] => [
  ofAddress(rows, 'hnet_receive_bytes_total', 'Bytes towards the domain.', one => one.in.bytes),
  ofAddress(rows, 'hnet_receive_packets_total', 'Packets towards the domain.', one => one.in.packets),
  ofAddress(rows, 'hnet_transmit_bytes_total', 'Bytes from the domain.', one => one.out.bytes),
  ofAddress(rows, 'hnet_transmit_packets_total', 'Packets from the domain.', one => one.out.packets),
  ofCause(drops, 'bytes', 'Bytes dropped since the filter was set up, by cause.'),
  ofCause(drops, 'packets', 'Packets dropped since the filter was set up, by cause.'),
];

const ofAddress = (
  rows: readonly Row[],
  name: string,
  help: string,
  read: (traffic: Traffic) => bigint,
): Metric => ({
  name,
  type: 'counter',
  help,
  samples: rows.map(({ domain, address, total }) => [{ domain, address }, read(total)]),
});

const ofCause = (drops: Drops, unit: keyof Counter, help: string): Metric => ({
  name: `hnet_dropped_${unit}_total`,
  type: 'counter',
  help,
  samples: [...drops].map(([cause, counter]) => [{ cause }, counter[unit]]),
});
