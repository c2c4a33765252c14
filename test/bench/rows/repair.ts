import { fileURLToPath } from 'node:url';
import type { Guest } from '../../lab/guest.ts';
import type { Host } from '../../lab/host.ts';
import { INTERNET } from '../../lab/site.ts';
import { until } from '../../lab/wait.ts';
import { time } from '../clock.ts';
import { assemble, serve } from '../crowded.ts';
import { type Figure, figure } from '../figure.ts';
import { member } from '../members.ts';
import { type Bench, inLab, type Row } from '../row.ts';

const COMMAND = fileURLToPath(new URL('../../../dist/hnet.cjs', import.meta.url));
const hnet = (command: string): string => `${process.execPath} ${COMMAND} ${command} 2>/dev/null`;

/** What the restart of a firewall does to everybody's rules. */
const FLUSH = 'nft flush ruleset';

/**
 * Looking after a host with 1,000 addresses. Libvirt is missing there, so that the listing of its domains isn't in it;
 * a domain's guest is a veth on its bootstrap lease, to which no packet comes while the rules are gone.
 */
export const repair: Row = {
  name: 'repair',
  title: 'looking after a host, and repairing it',
  run: bench =>
    inLab(async lab => {
      const count = bench.quick ? 100 : 1000;
      bench.step(`  a host with ${count} addresses and their DHCP servers`);
      const host = await lab.host('h1', { pools: [] });
      await assemble(host, count);
      await serve(host, count);
      const guest = await host.guest({ name: 'guest', bridge: member(count >> 1).address.bridge });
      await guest.dhcp();
      return [...(await commands(host, count, bench)), await watched(host, guest, count, bench)];
    }),
};

async function commands(host: Host, count: number, { quick }: Bench): Promise<Figure[]> {
  const samples: number[][] = [];
  for (let round = 0; round <= (quick ? 3 : 10); round++)
    samples.push(await time(host, [hnet('check'), hnet('sync'), FLUSH, hnet('sync')]));
  const column = (index: number) => samples.slice(1).map(each => each[index] ?? Number.NaN);
  return [
    figure(`hnet check, ${count} addresses`, 'ms', column(0)),
    figure(`hnet sync with nothing to repair, ${count} addresses`, 'ms', column(1)),
    figure(`hnet sync after ${FLUSH}, ${count} addresses`, 'ms', column(3)),
  ];
}

/** From a flush to the first answer that a guest gets, while `hnet watch` runs. */
async function watched(host: Host, guest: Guest, count: number, { quick }: Bench): Promise<Figure> {
  const watch = host.start([process.execPath, COMMAND, 'watch']);
  const samples: number[] = [];
  try {
    for (let round = 0; round <= (quick ? 2 : 5); round++) {
      await until(() => guest.ping(INTERNET), 30_000, 'the guest to be on line');
      samples.push(await untilAnswered(host, guest));
    }
  } finally {
    await watch.stop();
  }
  return figure(
    `from ${FLUSH} to the first packet through, with hnet watch, ${count} addresses`,
    'ms',
    samples,
  );
}

async function untilAnswered(host: Host, guest: Guest): Promise<number> {
  await host.sh(FLUSH);
  const begun = performance.now();
  const once = ['ping', '-n', '-q', '-c1', '-W0.1', INTERNET];
  await until(async () => (await guest.attempt(once)).code === 0, 60_000, 'a packet through');
  return performance.now() - begun;
}
