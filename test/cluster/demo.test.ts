import { existsSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import { attempt } from '../lab/run.ts';
import { PROJECT } from '../support/build.ts';

const LABS = '/run/hnet-lab';
const labs = (): string[] => (existsSync(LABS) ? readdirSync(LABS) : []);

/** Runs a demo, which insists on what each of its commands must do, and gives back all that it showed. */
async function shown(words: string): Promise<string> {
  // It goes on as the program that makes the lab, which is named after its process.
  const command = `echo $$; exec ${PROJECT}/install.sh ${words}`;
  const { code, stdout, stderr } = await attempt(['sh', '-c', command], { limit: 600_000 });
  expect(code, stdout + stderr).to.equal(0);
  expect(stdout).to.include('All as it should be');
  expect(labs().filter(lab => lab.startsWith(`${Number.parseInt(stdout, 10)}-`))).to.deep.equal([]);
  return stdout;
}

describe('install.sh', () => {
  it('--demo shows one host, and leaves nothing', async () => {
    expect(await shown('--demo')).to.include('the Internet saw one packet, from 123.45.90.116');
  });

  it('--demo cluster moves a VM over three hosts, tells what the Internet lost of it, and leaves nothing', async () => {
    const said = await shown('--demo cluster');
    for (const way of [/h1# virsh migrate --live .*\/h2\//, /h2# virsh migrate --live .*\/h3\//])
      expect(said).to.match(way);
    for (const address of ['123.45.90.116', '2001:db8:12:4900::116'])
      expect(said).to.match(new RegExp(`\\d+ pings to ${address}, \\d+ of them lost`));
    expect(said).to.match(/\d+ lines over one TCP connection, 0 of them lost/);
  });
});
