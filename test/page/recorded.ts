import { readFileSync } from 'node:fs';
import type { Hypervisor } from '../lab/hypervisor.ts';

const HNET = '/usr/bin/hnet';

/**
 * What `hnet monitor --json` told on the host h2 of a cluster, while a VM came there from h1. Kept by
 * test/cluster/page.test.ts.
 */
export const CLUSTER = readFileSync(new URL('recorded/cluster.jsonl', import.meta.url), 'utf8');

/** Lets the monitor of a machine tell what was recorded elsewhere, while something is done. */
export async function toldBy(hv: Hypervisor, lines: string, work: () => Promise<void>): Promise<void> {
  await hv.write('/root/recorded', lines);
  await hv.sh(`mv ${HNET} ${HNET}.real; cat >${HNET} <<'END'\n${PROGRAM}END\nchmod 755 ${HNET}`);
  try {
    await work();
  } finally {
    await hv.run(['mv', `${HNET}.real`, HNET]);
  }
}

const PROGRAM = `#!/bin/sh
case $1 in monitor) ;; *) exec ${HNET}.real "$@" ;; esac
cat /root/recorded
exec sleep infinity
`;
