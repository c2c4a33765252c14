import type { Hypervisor } from '../../lab/hypervisor.ts';
import { figure, ratio } from '../figure.ts';
import { HOOK, putHook, SH_HOOK, timedHook } from '../hooks.ts';
import { alternate } from '../rounds.ts';
import { inLab, type Row } from '../row.ts';
import { installed, OTHER_NIC } from '../stage.ts';
import { quantile } from '../statistics.ts';

const OWN = '/root/hook.own';
const LOG = '/root/hook.log';

/** Many starts at once: whether they wait for each other, and for whom. */
export const parallel: Row = {
  name: 'parallel',
  title: 'many starts at once (virsh start --paused)',
  run: ({ quick, step }) =>
    inLab(async lab => {
      const count = quick ? 10 : 50;
      const hv = await installed(lab);
      step(`  defining ${2 * count} domains`);
      await define(hv, count);
      await putHook(hv, await hv.read(HOOK).then(text => `${text}\n`), OWN);
      await putHook(hv, SH_HOOK, '/root/hook.sh');
      const samples = await alternate(
        {
          sh: () => oneRound(hv, '/root/hook.sh', 'other', count),
          ours: () => oneRound(hv, OWN, 'ours', count),
        },
        1,
      );
      const [sh, ours] = [samples.sh, samples.ours].map(each => each.map(({ wall }) => wall));
      return [
        figure(`${count} with the sh hook`, 's', sh ?? []),
        figure(`${count} with hnet, each with an address`, 's', ours ?? [], [
          ratio(ours ?? [], sh ?? [], 'of the sh hook'),
        ]),
        figure(
          '  prepare, median',
          'ms',
          samples.ours.map(each => quantile(each.prepare, 0.5)),
        ),
        figure(
          '  prepare, 95th percentile',
          'ms',
          samples.ours.map(each => quantile(each.prepare, 0.95)),
        ),
      ];
    }),
};

async function define(hv: Hypervisor, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    await hv.vm({ name: `other${number}`, nic: OTHER_NIC });
    await hv.vm({ name: `ours${number}`, nic: OTHER_NIC });
    await hv.run(['hnet', 'assign', `ours${number}`, `10.32.1.${number}`]);
  }
}

async function oneRound(hv: Hypervisor, hook: string, prefix: string, count: number) {
  await putHook(hv, timedHook(hook, LOG));
  await hv.sh(`: >${LOG}`);
  const script = `a=$EPOCHREALTIME
    for n in $(seq 0 ${count - 1}); do virsh -q start --paused ${prefix}$n & pids="$pids $!"; done
    for pid in $pids; do wait $pid; done
    b=$EPOCHREALTIME
    echo $((\${b/./} - \${a/./}))`;
  const wall = Number(await hv.run(['bash', '-ec', script], { limit: 240_000 })) / 1e6;
  const log = await hv.read(LOG);
  const prepare = [...log.matchAll(/^prepare (\d+)$/gm)].map(match => Number(match[1]) / 1000);
  if (prepare.length !== count)
    throw new Error(`Cannot time ${count} calls of the hook: it logged ${prepare.length}`);
  await hv.sh(`for n in $(seq 0 ${count - 1}); do virsh -q destroy ${prefix}$n; done`, { limit: 240_000 });
  return { wall, prepare };
}
