import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { COMMAND, ensureBuilt } from '../support/build.ts';

/** Runs `hnet --help` once what its output goes to is as the test wants it. */
async function help(redirection: string, isRead: boolean): Promise<{ code: unknown; stderr: string }> {
  const script = `read go; exec ${process.execPath} ${COMMAND} --help ${redirection}`;
  const child = spawn('sh', ['-c', script]);
  let stderr = '';
  child.stderr.on('data', chunk => {
    stderr += String(chunk);
  });
  if (isRead) child.stdout.resume();
  else child.stdout.destroy();
  child.stdin.end('go\n');
  const [code] = await once(child, 'close');
  return { code, stderr };
}

describe('the output of hnet', () => {
  before(ensureBuilt);

  it('may be read in part: a reader that has left is no error of ours', async () => {
    expect(await help('', false)).to.deep.equal({ code: 141, stderr: '' });
  });

  it('that cannot be written is one', async () => {
    const { code, stderr } = await help('>/dev/full', true);
    expect(code).to.equal(1);
    expect(stderr).to.match(/^hnet: Cannot write: ENOSPC.*\n$/);
  });
});
