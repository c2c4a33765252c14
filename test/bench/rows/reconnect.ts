import type { Hypervisor } from '../../lab/hypervisor.ts';
import { figure, ratio } from '../figure.ts';
import { HOOK, putHook, SH_HOOK, timedHook } from '../hooks.ts';
import { alternate } from '../rounds.ts';
import { inLab, type Row } from '../row.ts';
import { installed, OTHER_NIC } from '../stage.ts';
import { quantile } from '../statistics.ts';

const OWN = '/root/hook.own';
const SH = '/root/hook.sh';
const LOG = '/root/hook.log';

/** A restart of libvirtd: it calls the hook for every running domain, for many at once. */
export const reconnect: Row = {
  name: 'reconnect',
  title: 'libvirtd restarted while domains run (QEMU paused)',
  run: ({ quick, step }) =>
    inLab(async lab => {
      const count = quick ? 20 : 200;
      const hv = await installed(lab);
      await putHook(hv, await hv.read(HOOK).then(text => `${text}\n`), OWN);
      await putHook(hv, SH_HOOK, SH);
      step(`  starting ${count} domains`);
      await startAll(hv, count);
      const samples = await alternate(
        { sh: () => restart(hv, SH, count), ours: () => restart(hv, OWN, count) },
        quick ? 2 : 5,
      );
      const [sh, ours] = [samples.sh, samples.ours].map(each => each.map(({ wall }) => wall));
      const calls = (share: number) => samples.ours.map(each => quantile(each.calls, share));
      return [
        figure(`${count} domains, with the sh hook`, 's', sh ?? []),
        figure(`${count} domains, with hnet`, 's', ours ?? [], [
          ratio(ours ?? [], sh ?? [], 'of the sh hook'),
        ]),
        figure('  a call of the hook, median', 'ms', calls(0.5)),
        figure('  a call of the hook, 95th percentile', 'ms', calls(0.95)),
      ];
    }),
};

async function startAll(hv: Hypervisor, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    await hv.vm({ name: `ours${number}`, nic: OTHER_NIC });
    await hv.run(['hnet', 'assign', `ours${number}`, `10.32.1.${number}`]);
    await hv.virsh('start', '--paused', `ours${number}`);
  }
}

/** From the restart until the hook has ended for the last domain, and libvirt answers. */
async function restart(hv: Hypervisor, hook: string, count: number) {
  await putHook(hv, timedHook(hook, LOG));
  await hv.sh(`: >${LOG}`);
  const script = `a=$EPOCHREALTIME
    systemctl restart libvirtd
    until [ $(wc -l <${LOG}) -ge ${count} ] && virsh -q list >/dev/null; do sleep 0.02; done
    b=$EPOCHREALTIME
    echo $((\${b/./} - \${a/./}))`;
  const wall = Number(await hv.run(['bash', '-ec', script], { limit: 240_000 })) / 1e6;
  const log = await hv.read(LOG);
  return { wall, calls: [...log.matchAll(/^reconnect (\d+)$/gm)].map(match => Number(match[1]) / 1000) };
}
