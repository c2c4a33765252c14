import type { Hypervisor } from '../../lab/hypervisor.ts';
import { time } from '../clock.ts';
import { difference, type Figure, figure } from '../figure.ts';
import { HOOK, nodeHook, OWN_NETWORK, putHook, SH_HOOK } from '../hooks.ts';
import { alternate } from '../rounds.ts';
import { type Bench, inLab, type Row } from '../row.ts';
import { installed, installedNode, OTHER_BRIDGE, OTHER_NIC } from '../stage.ts';
import { sum } from '../statistics.ts';

/** What a user waits for: `virsh start --paused` and `virsh destroy`, with one hook or another. */
export const start: Row = {
  name: 'start',
  title: 'virsh start --paused and virsh destroy together',
  run: bench =>
    inLab(async lab => {
      // libvirt remembers at its own start whether there is a hook, so that "none" is a machine of its own.
      const [hv, bare] = await Promise.all([installed(lab), lab.hypervisor('h2')]);
      await bare.sh(OTHER_BRIDGE);
      await defineDomains(hv);
      await bare.vm({ name: 'other', nic: OTHER_NIC });
      return figures(await measure(hv, bare, bench));
    }),
};

async function defineDomains(hv: Hypervisor): Promise<void> {
  await hv.vm({ name: 'other', nic: OTHER_NIC });
  await hv.vm({ name: 'ours', nic: OTHER_NIC });
  await hv.vm({ name: 'net', nic: { type: 'network', source: 'net1' } });
  await hv.run(['hnet', 'assign', 'ours', '10.32.0.116']);
  await hv.write('/root/net1.xml', OWN_NETWORK);
  await hv.virsh('net-define', '/root/net1.xml');
}

const cycle = (domain: string): string[] => [
  `virsh -q start --paused ${domain}`,
  `virsh -q destroy ${domain}`,
];

async function measure(hv: Hypervisor, bare: Hypervisor, { quick }: Bench) {
  const own = await hv.read(HOOK);
  const node = await installedNode(hv);
  const under = (hook: string, commands: readonly string[]) => async () => {
    await putHook(hv, `${hook}\n`);
    return time(hv, commands);
  };
  return alternate(
    {
      none: () => time(bare, cycle('other')),
      sh: under(SH_HOOK, cycle('other')),
      node: under(nodeHook(node), cycle('other')),
      unassigned: under(own, cycle('other')),
      assigned: under(own, cycle('ours')),
      network: under(SH_HOOK, ['virsh -q net-start net1', ...cycle('net'), 'virsh -q net-destroy net1']),
    },
    quick ? 3 : 15,
  );
}

function figures(samples: Awaited<ReturnType<typeof measure>>): Figure[] {
  const none = totals(samples.none);
  const sh = totals(samples.sh);
  const beside = (name: keyof typeof samples, what: string) => {
    const own = totals(samples[name]);
    return figure(what, 'ms', own, [difference(own, sh, 'ms', 'over the sh hook')]);
  };
  const network = samples.network.map(([begin = 0, , , end = 0]) => begin + end);
  return [
    figure('no hook', 'ms', none),
    figure('hook that is #!/bin/sh exit 0', 'ms', sh, [difference(sh, none, 'ms', 'over no hook')]),
    beside('node', 'hook in node that reads its input'),
    beside('unassigned', 'hnet, domain without an address'),
    beside('assigned', 'hnet, domain with an address'),
    beside('network', "libvirt's own routed network with DHCP, one per VM"),
    figure('  of it net-start and net-destroy', 'ms', network),
  ];
}

const totals = (samples: readonly (readonly number[])[]): number[] =>
  samples.map(each => sum(...each.map(one => [one]))[0] ?? Number.NaN);
