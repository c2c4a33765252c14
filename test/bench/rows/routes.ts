import type { Host } from '../../lab/host.ts';
import { until } from '../../lab/wait.ts';
import { time } from '../clock.ts';
import { atMost, type Figure, figure, ratio } from '../figure.ts';
import { type Bench, inLab, type Row } from '../row.ts';
import { installed, OTHER_NIC } from '../stage.ts';

/** A fifth of what the Internet has; a host in a rack is often given a part. */
const ROUTES = 200_000;

/** What others' routes cost: a host that speaks BGP has hundreds of thousands, and one changes each second. */
export const routes: Row = {
  name: 'routes',
  title: `a host with ${ROUTES.toLocaleString('en')} routes of others, of which one flaps each second`,
  run: bench =>
    inLab(async lab => {
      const hv = await installed(lab);
      await hv.vm({ name: 'ours', nic: OTHER_NIC, boots: false });
      await hv.run(['hnet', 'assign', 'ours', '10.32.0.116']);
      const before = await measure(hv, bench);
      bench.step(`  ${ROUTES} routes`);
      await hv.sh(`ip link add far type bridge; ip address add 10.200.0.1/24 dev far; ip link set far up
        awk 'BEGIN { for (n = 0; n < ${ROUTES}; n++)
          printf "route add 11.%d.%d.%d/32 via 10.200.0.2 dev far onlink proto bird\\n", n / 65536, n / 256 % 256, n % 256
        }' >/root/routes; ip -batch /root/routes`);
      const flapping = hv.start([
        'sh',
        '-c',
        'while :; do ip route del 11.0.0.7/32; sleep 0.5; ip route add 11.0.0.7/32 via 10.200.0.2 dev far onlink proto bird; sleep 0.5; done',
      ]);
      const after = await measure(hv, bench);
      await flapping.stop();
      return Object.entries(before).map(
        ([what, times]): Figure =>
          figure(what, what.includes('processor') ? '%' : 'ms', after[what] ?? [], [
            ...(what.includes('processor')
              ? []
              : [ratio(after[what] ?? [], times, 'without them', atMost(1.2))]),
          ]),
      );
    }),
};

/** Seconds over which the daemon's processor time is counted. */
const WATCHED = 20;

async function measure(hv: Host, { quick, step }: Bench): Promise<Record<string, number[]>> {
  const rounds = quick ? 5 : 15;
  const times: Record<string, number[]> = { 'hnet status': [], 'a start by libvirt': [] };
  for (let round = 0; round < rounds; round++) {
    times['hnet status']?.push(...(await time(hv, ['hnet status'])));
    times['a start by libvirt']?.push(...(await time(hv, ['virsh start ours'])));
    await hv.run(['virsh', 'destroy', 'ours']);
  }
  step(`  the daemon, for ${WATCHED} s`);
  await hv.run(['systemctl', 'restart', 'hnet-watch.service']);
  // Its first look at everything is over when it has begun to listen.
  await until(async () => (await idle(hv)) < 0.5, 60_000, 'the daemon to be idle');
  const from = await used(hv);
  await hv.run(['sleep', String(WATCHED)]);
  times['processor time of the daemon, of one core'] = [(((await used(hv)) - from) / WATCHED) * 100];
  return times;
}

/** Seconds of processor time that the daemon has used, with the children that it has waited for. */
async function used(hv: Host): Promise<number> {
  const script = `cut -d' ' -f14-17 /proc/$(systemctl show -P MainPID hnet-watch.service)/stat; getconf CLK_TCK`;
  const [ticks = '', perSecond = ''] = (await hv.sh(script)).split('\n');
  return ticks.split(' ').reduce((sum, each) => sum + Number(each), 0) / Number(perSecond);
}

/** What it uses within a second, in seconds. */
async function idle(hv: Host): Promise<number> {
  const from = await used(hv);
  await hv.run(['sleep', '1']);
  return (await used(hv)) - from;
}
