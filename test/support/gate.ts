import { readFileSync } from 'node:fs';

const GATE = readFileSync(new URL('../../hooks/qemu.sh', import.meta.url), 'utf8');

/** The two lines by which the hook finds its Node.js. */
const SEARCH = /^node=\S+\n\[ -x \$node \] \|\| node=\S+$/gm;

/** The hook as it is installed, but with a certain Node.js. @throws Error where it has changed */
export function gateWith(node: string): string {
  if (GATE.match(SEARCH)?.length !== 1)
    throw new Error('Cannot find out how hooks/qemu.sh looks for its Node.js');
  return GATE.replace(SEARCH, () => `node=${node}`);
}
