import { build } from 'esbuild';
import type { Hypervisor } from '../../lab/hypervisor.ts';
import { time } from '../clock.ts';
import { atMost, difference, type Figure, figure, ratio } from '../figure.ts';
import { BUNDLE, calls as fiveCalls, nodeHook, OWN_NETWORK, ownHook, putHook, SH_HOOK } from '../hooks.ts';
import { alternate } from '../rounds.ts';
import { type Bench, inLab, type Row } from '../row.ts';
import { installed, installedNode, OTHER_NIC, PRIVATE_NODE, SYSTEM_NODE } from '../stage.ts';

/**
 * The hook by itself, called as libvirt calls it: five times for a start and a destroy. What `start` measures
 * with QEMU around it, here without QEMU's noise; and what each interpreter makes of it.
 */
export const calls: Row = {
  name: 'calls',
  title: "the hook's five calls of a start and a destroy",
  run: bench =>
    inLab(async lab => {
      const hv = await installed(lab);
      const node = await installedNode(hv);
      await prepare(hv);
      return figures(await measure(hv, node, bench));
    }),
};

async function prepare(hv: Hypervisor): Promise<void> {
  for (const name of ['other', 'ours']) await hv.vm({ name, nic: OTHER_NIC });
  await hv.run(['hnet', 'assign', 'ours', '10.32.0.116']);
  for (const name of ['other', 'ours']) await hv.sh(`virsh dumpxml ${name} >/root/${name}.xml`);
  await hv.write('/root/net1.xml', OWN_NETWORK);
  await hv.virsh('net-define', '/root/net1.xml');
  await buildSnapshot(hv);
}

/** The program with its modules already loaded, as a heap image: only the very same node can read it. */
async function buildSnapshot(hv: Hypervisor): Promise<void> {
  await build({
    entryPoints: [new URL('../snapshot.ts', import.meta.url).pathname],
    outfile: `${hv.root}/root/snapshot.cjs`,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minify: true,
    logLevel: 'error',
  });
  await hv.run([
    PRIVATE_NODE,
    '--snapshot-blob',
    '/root/hnet.blob',
    '--build-snapshot',
    '/root/snapshot.cjs',
  ]);
}

const CACHED = `env NODE_COMPILE_CACHE=/root/compile-cache ${PRIVATE_NODE}`;
const SNAPSHOT = `${PRIVATE_NODE} --snapshot-blob /root/hnet.blob`;

async function measure(hv: Hypervisor, node: string, { quick }: Bench) {
  const [other, ours] = ['other', 'ours'].map(name => [name, `/root/${name}.xml`] as const);
  const under = async (name: string, hook: string, [domain, xml] = other ?? ['', '']) => {
    await putHook(hv, hook, `/root/${name}`);
    return () => time(hv, fiveCalls(`/root/${name}`, domain, xml));
  };
  return alternate(
    {
      sh: await under('sh', SH_HOOK),
      node: await under('node', nodeHook(node)),
      unassigned: await under('unassigned', ownHook(node)),
      installed: await under('installed', ownHook(node), ours),
      system: await under('system', ownHook(SYSTEM_NODE), ours),
      private: await under('private', ownHook(PRIVATE_NODE), ours),
      cached: await under('cached', ownHook(CACHED), ours),
      snapshot: await under('snapshot', ownHook(SNAPSHOT, BUNDLE), ours),
      network: () => time(hv, ['virsh -q net-start net1', 'virsh -q net-destroy net1']),
    },
    quick ? 3 : 15,
  );
}

function figures(samples: Awaited<ReturnType<typeof measure>>): Figure[] {
  const all = (name: keyof typeof samples) => samples[name].map(each => each.reduce((a, b) => a + b, 0));
  const [sh, node, own, network] = [all('sh'), all('node'), all('installed'), all('network')];
  const variant = (name: keyof typeof samples, what: string) =>
    figure(`hnet, with an address, ${what}`, 'ms', all(name), [ratio(all(name), own, 'of it as installed')]);
  return [
    figure('#!/bin/sh exit 0', 'ms', sh),
    figure('node that reads its input', 'ms', node),
    figure('libvirt net-start and net-destroy', 'ms', network),
    figure('hnet, without an address', 'ms', all('unassigned'), [
      difference(all('unassigned'), sh, 'ms', 'over the sh hook', atMost(5)),
    ]),
    figure('hnet, with an address, as installed', 'ms', own, [
      ratio(own, network, 'of net-start and net-destroy', atMost(0.5)),
      ratio(own, node, 'of the node hook', atMost(1.5)),
    ]),
    figure(
      '  prepare',
      'ms',
      samples.installed.map(([first = Number.NaN]) => first),
    ),
    figure(
      '  release',
      'ms',
      samples.installed.map(each => each.at(-1) ?? Number.NaN),
    ),
    variant('system', "the system's node"),
    variant('private', 'private node'),
    variant('cached', 'private node, compile cache'),
    variant('snapshot', 'private node, startup snapshot'),
  ];
}
