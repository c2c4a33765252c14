import type { Hypervisor } from '../../lab/hypervisor.ts';
import type { Lab } from '../../lab/lab.ts';
import { INTERVAL, type Loss, Pings } from '../../lab/pings.ts';
import { atMost, type Figure, figure } from '../figure.ts';
import { alternate } from '../rounds.ts';
import { type Bench, inLab, type Row } from '../row.ts';
import { installed } from '../stage.ts';

/** Addresses that the lab's provider routes to the host: one that each VM keeps, and the one that moves. */
const POOL = '123.45.90.112/29';
const [FIRST, SECOND, MOVED] = ['123.45.90.116', '123.45.90.117', '123.45.90.118'];
const BACKENDS = ['iptables', 'nftables'] as const;

/** How long an address is unreachable while `hnet move` hands it from one running VM to another. */
export const move: Row = {
  name: 'move',
  title: `hnet move between two running VMs, pinged every ${INTERVAL} ms`,
  run: bench =>
    inLab(async lab => {
      const hv = await installed(lab);
      await hv.sh(`sed -i 's,^pools = .*,pools = ["${POOL}"],' /etc/hnet/hnet.toml`);
      await startVms(hv);
      const figures: Figure[] = [];
      for (const backend of BACKENDS)
        for (const rules of [false, true]) {
          bench.step(`  ${backend}${rules ? ', with rules' : ''}`);
          await choose(hv, backend, rules);
          figures.push(...(await measure(lab, hv, bench, `${backend}, ${rules ? 'with' : 'without'} rules`)));
        }
      return figures;
    }),
};

/** Both have the address configured, so that what is measured is the host's part. */
async function startVms(hv: Hypervisor): Promise<void> {
  const vms = await Promise.all(
    [FIRST, SECOND].map(async (ip, index) => {
      const name = `vm${index + 1}`;
      const vm = await hv.vm({ name, append: `addr=${ip} gw=${hv.address}` });
      await hv.run(['hnet', 'assign', name, ip]);
      await vm.start();
      await vm.ready();
      return vm;
    }),
  );
  for (const vm of vms) await vm.sh(`ip addr add ${MOVED}/32 dev lo`);
  await hv.run(['hnet', 'assign', 'vm1', MOVED]);
}

/** A rule that lets the pings through, and makes both domains' flows tracked ones. */
async function choose(hv: Hypervisor, backend: string, rules: boolean): Promise<void> {
  await hv.sh(`sed -i 's/^backend = .*/backend = "${backend}"/' /etc/hnet/hnet.toml; hnet sync`);
  const words = rules ? 'allow icmp' : 'delete 1';
  for (const name of ['vm1', 'vm2']) {
    const has = (await hv.run(['hnet', 'firewall', name])).includes('allow icmp');
    if (has !== rules) await hv.run(['hnet', 'firewall', name, ...words.split(' ')]);
  }
}

async function measure(lab: Lab, hv: Hypervisor, { quick }: Bench, what: string): Promise<Figure[]> {
  let [from, to] = ['vm1', 'vm2'];
  const samples = await alternate(
    {
      none: () => pinged(lab, () => hv.run(['hnet', 'status'])),
      move: async () => {
        const loss = await pinged(lab, () => hv.run(['hnet', 'move', MOVED, from, to]));
        [from, to] = [to, from];
        return loss;
      },
    },
    // An even number with the one that isn't counted: the address ends where it began.
    quick ? 5 : 15,
  );
  const lost = ({ lost: count }: Loss): number => count * INTERVAL;
  const gap = (loss: Loss): number => loss.gap;
  const worst = (read: (loss: Loss) => number) => Math.max(...samples.move.map(read));
  return [
    figure(`pings lost, ${what}`, 'ms', samples.move.map(lost), [
      { value: worst(lost), unit: 'ms', to: 'at worst', target: atMost(200) },
    ]),
    figure(`  longest time between two answers`, 'ms', samples.move.map(gap), [
      { value: worst(gap), unit: 'ms', to: 'at worst' },
    ]),
    figure('  the same while nothing moves', 'ms', samples.none.map(gap)),
  ];
}

async function pinged(lab: Lab, work: () => Promise<unknown>): Promise<Loss> {
  const pings = await Pings.start(lab.internet, MOVED);
  await work();
  await pings.more(20);
  return pings.stop();
}
