import { existsSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import { attempt } from '../lab/run.ts';
import { PROJECT } from '../support/build.ts';

const LABS = '/run/hnet-lab';
const labs = (): string[] => (existsSync(LABS) ? readdirSync(LABS) : []);

/** The demo insists on what each of its commands must do; here is what it tells of the moves. */
describe('install.sh --demo cluster', () => {
  it('moves a VM over three hosts, tells what the Internet lost of it, and leaves nothing', async () => {
    // It goes on as the program that makes the lab, which is named after its process.
    const command = `echo $$; exec ${PROJECT}/install.sh --demo cluster`;
    const { code, stdout, stderr } = await attempt(['sh', '-c', command], { limit: 600_000 });
    expect(code, stdout + stderr).to.equal(0);
    for (const way of [/h1# virsh migrate --live .*\/h2\//, /h2# virsh migrate --live .*\/h3\//])
      expect(stdout).to.match(way);
    for (const address of ['123.45.90.116', '2001:db8:12:4900::116'])
      expect(stdout).to.match(new RegExp(`\\d+ pings to ${address}, \\d+ of them lost`));
    expect(stdout).to.match(/\d+ lines over one TCP connection, 0 of them lost/);
    expect(stdout).to.include('All as it should be');
    expect(labs().filter(lab => lab.startsWith(`${Number.parseInt(stdout, 10)}-`))).to.deep.equal([]);
  });
});
