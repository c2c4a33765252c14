import type { Host } from '../../lab/host.ts';
import { time } from '../clock.ts';
import { assemble, RUN } from '../crowded.ts';
import { atMost, figure, ratio } from '../figure.ts';
import { ownHook, putHook } from '../hooks.ts';
import { privateNode } from '../machine.ts';
import { memberXml } from '../members.ts';
import { alternate } from '../rounds.ts';
import { type Bench, inLab, type Row } from '../row.ts';

/** The newcomer's number, beyond every crowd. */
const NEWCOMER = 16_000;
const HOOK = `${RUN}/hook`;
const XML = `${RUN}/newcomer.xml`;

/**
 * What the hook costs for the 1st, the 100th, the 1,000th and the 4,000th address. Each has a host of its own, so
 * that all four can be measured side by side: bridge, route, set entries, DHCP server and a port for each address.
 */
export const growth: Row = {
  name: 'growth',
  title: "the hook's time for one more address",
  run: bench =>
    inLab(async lab => {
      const sizes = bench.quick ? [1, 100, 1000] : [1, 100, 1000, 4000];
      const hosts: Host[] = [];
      for (const [index, size] of sizes.entries()) {
        bench.step(`  a host with ${size - 1} addresses`);
        const host = await lab.host(`h${index + 1}`, { pools: [] });
        await assemble(host, size - 1, { dhcp: true, ports: true });
        await putHook(host, ownHook(privateNode(), `${RUN}/qemu.cjs`), HOOK);
        await host.write(XML, memberXml(NEWCOMER));
        hosts.push(host);
      }
      return measure(hosts, sizes, bench);
    }),
};

async function measure(hosts: readonly Host[], sizes: readonly number[], { quick }: Bench) {
  const variants = hosts.map((host, index) => [
    String(sizes[index]),
    () => time(host, ['prepare begin', 'release end'].map(operation => `${HOOK} vm ${operation} - <${XML}`)),
  ]);
  const samples = await alternate<string, number[]>(Object.fromEntries(variants), quick ? 5 : 20);
  return [0, 1].flatMap(half => {
    const times = (size: number) => (samples[size] ?? []).map(each => each[half] ?? Number.NaN);
    const word = half === 0 ? 'prepare' : 'release';
    return sizes.map(size => {
      const against = size === 1 ? [] : [ratio(times(size), times(1), 'of the first', atMost(1.2))];
      return figure(`${word}, address number ${size}`, 'ms', times(size), against);
    });
  });
}
