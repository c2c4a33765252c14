import { FAMILIES, type Family } from '../../../src/model/prefix.ts';
import { clusterWithHnet } from '../../cluster/stage.ts';
import {
  AFTER,
  allWays,
  followMoves,
  type Lost,
  lostDuring,
  prepareTravel,
  type Traveller,
  type Way,
} from '../../cluster/travel.ts';
import type { Cluster } from '../../lab/cluster/cluster.ts';
import type { Move } from '../../lab/cluster/migration.ts';
import type { Hypervisor } from '../../lab/hypervisor.ts';
import { INTERVAL } from '../../lab/pings.ts';
import { PATIENCE, until } from '../../lab/wait.ts';
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
    const ways = await reaching(traveller);
    bench.step(`  ${ways.length} of ${allWays(traveller).length} senders reach it`);
    const samples: Sample[] = [];
    const moves = bench.quick ? 4 : 20;
    const [home, away] = cluster.hosts;
    if (home === undefined || away === undefined) throw new Error('Cannot move: there are no two hosts');
    for (let done = 0; done < moves; done++) {
      const isBack = isCluster && done % 2 === 1;
      const sample = await sampled({ traveller, ways, cluster }, isBack ? home : away);
      samples.push(sample);
      bench.step(`  ${done + 1} of ${moves}: ${sample.losses.map(({ lost }) => lost).join(' ')}`);
      if (!isCluster) await bringHome({ traveller, ways, cluster }, home);
    }
    return figures(what, isCluster, samples);
  });

interface Scene {
  readonly traveller: Traveller;
  readonly ways: readonly Way[];
  readonly cluster: Cluster;
}

/** Without the table VMs of other hosts don't reach it, whether it moves or not. */
async function reaching(traveller: Traveller): Promise<Way[]> {
  const ways: Way[] = [];
  for (const way of allWays(traveller)) if (await way.machine.ping(way.address)) ways.push(way);
  return ways;
}

async function sampled({ traveller, ways, cluster }: Scene, to: Hypervisor): Promise<Sample> {
  let moved: Move | undefined;
  const losses = await lostDuring(
    ways,
    async () => {
      moved = await cluster.migrate(traveller.vm, to);
    },
    // Without the table it may be silent for good: nobody at its new host answers for its gateway.
    pings => pings.more(AFTER, SILENT).catch(() => undefined),
  );
  if (moved === undefined) throw new Error('Cannot tell how long the move took');
  return { ...moved, losses };
}

/** In milliseconds: who hasn't answered by then is lost. */
const SILENT = 10_000;

/** Unmeasured, and until everybody reaches it again. */
async function bringHome({ traveller, ways, cluster }: Scene, home: Hypervisor): Promise<void> {
  await cluster.migrate(traveller.vm, home);
  for (const { machine, address } of ways)
    await until(() => machine.ping(address), PATIENCE, `${machine.name} to reach it again`);
}

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
