import { copyFile } from 'node:fs/promises';
import type { Hypervisor } from '../../lab/hypervisor.ts';
import { time } from '../clock.ts';
import { type Figure, figure } from '../figure.ts';
import { BUNDLE } from '../hooks.ts';
import { inLab, type Row } from '../row.ts';
import { installed, installedNode, OTHER_NIC } from '../stage.ts';
import { sum } from '../statistics.ts';

const OUTPUT = '/root/profile';
type Span = readonly [what: string, from: number, to: number];

/** Where the time of the two calls that do something goes, step by step. */
export const profile: Row = {
  name: 'profile',
  title: 'where the time of prepare and release goes, in milliseconds',
  run: ({ quick }) =>
    inLab(async lab => {
      const hv = await installed(lab);
      await hv.vm({ name: 'ours', nic: OTHER_NIC });
      await hv.run(['hnet', 'assign', 'ours', '10.32.0.116']);
      await hv.sh('virsh dumpxml ours >/root/ours.xml');
      await copyFile(new URL('../preload.cjs', import.meta.url), `${hv.root}/root/preload.cjs`);
      const outside: [number, number][] = [];
      for (let round = 0; round <= (quick ? 5 : 20); round++) outside.push(await oneRound(hv));
      const lines = (await hv.read(OUTPUT)).split('\n').map(line => JSON.parse(line) as Span[]);
      // The first round warms the caches.
      return [0, 1].flatMap(half => {
        const spans = lines.filter((_, index) => index % 2 === half && index > 1);
        return figures(
          half === 0 ? 'prepare' : 'release, where the script can do none',
          spans,
          outside.slice(1).map(each => each[half] ?? Number.NaN),
        );
      });
    }),
};

async function oneRound(hv: Hypervisor): Promise<[number, number]> {
  const node = await installedNode(hv);
  const call = (operation: string) =>
    `HNET_PROFILE=${OUTPUT} ${node} -r /root/preload.cjs ${BUNDLE} ours ${operation} - </root/ours.xml`;
  const [up = Number.NaN, down = Number.NaN] = await time(hv, [call('prepare begin'), call('release end')]);
  return [up, down];
}

/** Each step's own time; what lies between them is the program's own work. */
function figures(name: string, rounds: readonly Span[][], outside: readonly number[]): Figure[] {
  const steps = new Map<string, number[]>();
  for (const [round, spans] of rounds.entries()) {
    for (const [what, from, to] of spans) {
      const series = steps.get(what) ?? rounds.map(() => 0);
      series[round] = (series[round] ?? 0) + to - from;
      steps.set(what, series);
    }
  }
  const all = steps.get('all') ?? [];
  steps.delete('all');
  const own = sum(all, ...[...steps.values()].map(series => series.map(each => -each)));
  return [
    figure(name, 'ms', outside),
    ...[...steps].map(([what, series]) => figure(`  ${what}`, 'ms', series)),
    figure("  the program's own work", 'ms', own),
    figure(
      '  exec and exit of node',
      'ms',
      sum(
        outside,
        all.map(each => -each),
      ),
    ),
  ];
}
