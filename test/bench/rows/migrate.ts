import { FAMILIES, type Family } from '../../../src/model/prefix.ts';
import { clusterWithHnet } from '../../cluster/stage.ts';
import { allWays, followMoves, type Lost, lostDuring, prepareTravel } from '../../cluster/travel.ts';
import type { Move } from '../../lab/cluster/migration.ts';
import { INTERVAL } from '../../lab/pings.ts';
import { atMost, type Figure, figure } from '../figure.ts';
import { type Bench, inLab, type Row } from '../row.ts';

/** A VM moves to and fro between two of three hosts, and everybody pings it in both families. */
export const migrate: Row = {
  name: 'migrate',
  title: `virsh migrate --live between hosts, pinged every ${INTERVAL} ms by the Internet and a VM on each host`,
  run: async bench => [
    ...(await measured('hnet with [cluster]', true, bench)),
    ...(await measured('hnet without the table, BIRD alone', false, bench)),
  ],
};

interface Sample extends Move {
  readonly losses: readonly Lost[];
}

const measured = (what: string, isCluster: boolean, bench: Bench): Promise<Figure[]> =>
  inLab(async lab => {
    bench.step(`  ${what}`);
    const cluster = await clusterWithHnet(lab, {
      hosts: 3,
      // Without one no host gets the table.
      etcds: isCluster ? 1 : 0,
    });
    const traveller = await prepareTravel(lab, cluster, (host, ...argv) => host.run(['hnet', ...argv]));
    if (isCluster) await followMoves(cluster);
    const samples: Sample[] = [];
    const moves = bench.quick ? 4 : 20;
    for (let done = 0; done < moves; done++) {
      const to = cluster.hosts[(done + 1) % 2];
      if (to === undefined) throw new Error('Cannot move: there are no two hosts');
      let moved: Move | undefined;
      const losses = await lostDuring(allWays(traveller), async () => {
        moved = await cluster.migrate(traveller.vm, to);
      });
      if (moved === undefined) throw new Error('Cannot tell how long the move took');
      samples.push({ ...moved, losses });
      bench.step(`  ${done + 1} of ${moves}: ${losses.map(({ lost }) => lost).join(' ')}`);
    }
    return figures(what, isCluster, samples);
  });

function figures(what: string, isCluster: boolean, samples: readonly Sample[]): Figure[] {
  const downtimes = samples.map(({ downtime }) => downtime);
  return [
    figure(`${what}: QEMU's own downtime`, 'ms', downtimes),
    ...FAMILIES.flatMap(family => ofFamily(family, isCluster, samples)),
  ];
}

/** A sender that stood still itself proves nothing: how long it did is told beside. */
function ofFamily(family: Family, isCluster: boolean, samples: readonly Sample[]): Figure[] {
  const all = samples.flatMap(({ losses }) => losses.filter(one => one.family === family));
  const lost = all.map(one => one.lost);
  const worst = Math.max(...lost);
  return [
    figure(`  IPv${family}: pings lost, of each sender and move`, 'pings', lost, [
      { value: worst, unit: 'pings', to: 'at worst', ...(isCluster && { target: atMost(3) }) },
    ]),
    figure(
      `  IPv${family}: longest silence`,
      'ms',
      all.map(({ gap }) => gap),
      [{ value: Math.max(...all.map(({ gap }) => gap)), unit: 'ms', to: 'at worst' }],
    ),
    figure(
      `  IPv${family}: for how long the sender itself stood still`,
      'ms',
      all.map(({ pause }) => pause),
    ),
  ];
}
