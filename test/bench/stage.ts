import { fileURLToPath } from 'node:url';
import type { Hypervisor } from '../lab/hypervisor.ts';
import type { Lab } from '../lab/lab.ts';
import { run } from '../lab/run.ts';
import { privateNode } from './machine.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** Plenty of addresses and of scopes; 10/8, so that the lab's own networks stay out of it. */
export const POOL = '10.32.0.0/16';
export const SCOPES = '10.64.0.0/10';

export const SYSTEM_NODE = '/usr/bin/node';

/** Where the private node lies in the stage, whichever node install.sh chose. */
export const PRIVATE_NODE = '/usr/bin/hnet-node';

/** A hypervisor with hnet installed by its own install.sh, and the private node beside the system's. */
export async function installed(lab: Lab, name = 'h1'): Promise<Hypervisor> {
  const hv = await lab.hypervisor(name, { copy: { '/root/hnet': PROJECT } });
  await hv.run(['/root/hnet/install.sh', '--yes', '--pool', POOL], { limit: 120_000 });
  await hv.sh(`sed -i 's,^scopes = .*,scopes = "${SCOPES}",' /etc/hnet/hnet.toml`);
  await run(['cp', privateNode(), `${hv.root}${PRIVATE_NODE}`]);
  await hv.sh(OTHER_BRIDGE);
  return hv;
}

/** A bridge that isn't ours, for domains that aren't. */
export const OTHER_BRIDGE = 'ip link add other0 type bridge && ip link set other0 up';
export const OTHER_NIC = { type: 'bridge', source: 'other0' } as const;

/** The interpreter that the hook has without the private one that {@link installed} puts beside it: the system's, if that is new enough. */
export async function installedNode(hv: Hypervisor): Promise<string> {
  const [, major = '0', minor = '0'] = /^v(\d+)\.(\d+)/.exec(await hv.run([SYSTEM_NODE, '--version'])) ?? [];
  return Number(major) * 100 + Number(minor) >= 2012 ? SYSTEM_NODE : PRIVATE_NODE;
}
