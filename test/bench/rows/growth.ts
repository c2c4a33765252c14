import { readFileSync } from 'node:fs';
import type { Host } from '../../lab/host.ts';
import { untilSync } from '../../lab/wait.ts';
import { time } from '../clock.ts';
import { assemble, plugIn, RUN, serve } from '../crowded.ts';
import { atMost, type Figure, figure, ratio } from '../figure.ts';
import { ownHook, putHook } from '../hooks.ts';
import { privateNode } from '../machine.ts';
import { memberXml } from '../members.ts';
import { alternate } from '../rounds.ts';
import { type Bench, inLab, type Row } from '../row.ts';

/** The newcomer's number, beyond every crowd. */
const NEWCOMER = 16_000;
const HOOK = `${RUN}/hook`;
const XML = `${RUN}/newcomer.xml`;

/** A host, and which address in order the newcomer's is there. */
interface Crowded {
  readonly host: Host;
  readonly size: number;
}

/**
 * What the hook costs for the 1st, the 100th, the 1,000th and the 4,000th address. Each has a host of its own, so
 * that all can be measured side by side; first with bridges, routes, set entries and ports only, then with a DHCP
 * server on each bridge, for what other processes do at a start is a cost of its own.
 */
export const growth: Row = {
  name: 'growth',
  title: "the hook's time for one more address",
  run: bench =>
    inLab(async lab => {
      const hosts: Crowded[] = [];
      for (const size of bench.quick ? [1, 100, 1000] : [1, 100, 1000, 4000]) {
        bench.step(`  a host with ${size - 1} addresses`);
        const host = await lab.host(`h${hosts.length + 1}`, { pools: [] });
        await populate(host, size - 1);
        hosts.push({ host, size });
      }
      const without = await measure(hosts, bench, "others' DHCP servers not running");
      bench.step('  DHCP servers');
      // 4,000 of them would take longer to start than all the rest of the benchmark.
      const served = hosts.filter(({ size }) => size <= 1000);
      for (const { host, size } of served) await serve(host, size - 1);
      return [...without, ...(await measure(served, bench, 'all DHCP servers running'))];
    }),
};

async function populate(host: Host, count: number): Promise<void> {
  await assemble(host, count);
  if (count > 0) await plugIn(host, count);
  await putHook(host, ownHook(privateNode(), `${RUN}/qemu.cjs`), HOOK);
  await host.write(XML, memberXml(NEWCOMER));
}

async function measure(hosts: readonly Crowded[], { quick }: Bench, what: string): Promise<Figure[]> {
  const variants = hosts.map(({ host, size }) => [size, () => startAndStop(host)]);
  const samples = await alternate<string, number[]>(Object.fromEntries(variants), quick ? 5 : 15);
  const parts = {
    'prepare and release': ([up = Number.NaN, down = Number.NaN]: number[]) => up + down,
    prepare: ([up = Number.NaN]: number[]) => up,
    release: ([, down = Number.NaN]: number[]) => down,
  };
  return Object.entries(parts).flatMap(([word, part]) => {
    const times = (size: number) => (samples[size] ?? []).map(part);
    return hosts.map(({ size }) => {
      const against = size === 1 ? [] : [ratio(times(size), times(1), 'of the first', atMost(1.2))];
      return figure(`${word} of address ${size}, ${what}`, 'ms', times(size), against);
    });
  });
}

/** What either call takes. */
async function startAndStop(host: Host): Promise<number[]> {
  const times: number[] = [];
  for (const operation of ['prepare begin', 'release end']) {
    await settled();
    times.push(...(await time(host, [`${HOOK} vm ${operation} - <${XML}`])));
  }
  return times;
}

/** What one call has stirred up, such as a DHCP server that reads all interfaces, must not burden the next one. */
async function settled(): Promise<void> {
  const runnable = () => Number(/ (\d+)\/\d+ /.exec(readFileSync('/proc/loadavg', 'utf8'))?.[1]);
  untilSync(() => runnable() <= 3, 5_000);
}
