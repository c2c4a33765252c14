import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { COMMAND } from '../support/build.ts';
import { hnet } from '../support/command.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { WIRE } from '../support/peers.ts';
import { POOLS } from '../support/scene.ts';
import { kernelSuite } from '../support/suite.ts';

const SCRIPT = '/run/lab/move-address';
const CONFIG = `pools = ${JSON.stringify(POOLS)}
[cluster]
name = "lab"
host = "h1"
interface = "${WIRE}"
etcd = ["http://127.0.0.1:1"]
announce = "command"
command = ["${SCRIPT}", "--token", "x y"]
`;
/** A provider's API: it takes until somebody lets it go on, and does what the file beside it says then. */
const API = `#!/bin/sh
echo "$@" >>/run/lab/called
until [ -e /run/lab/go ]; do sleep 0.1; done
. /run/lab/go`;

kernelSuite('an API that moves addresses', newScene => {
  it('is called once for what it moves as a whole, again after it failed, and everybody sees that it is late', async () => {
    const one = await newScene({ config: CONFIG });
    await one.host.sh(
      `ip link add ${WIRE} type veth peer name far; ip link set far up; ip link set ${WIRE} up`,
    );
    await one.host.write(SCRIPT, API);
    await one.host.sh(`chmod 755 ${SCRIPT}; : >/run/lab/called`);
    await one.base();
    const libvirt = await FakeLibvirt.create(one);
    const addresses = ['123.45.90.116', '123.45.90.117', '123.45.53.12'];
    for (const [place, address] of addresses.entries()) {
      await one.prepare(`vm${place + 1}`, [address]);
      await libvirt.run(`vm${place + 1}`, { addresses: [address] });
    }
    const follower = one.host.start([process.execPath, COMMAND, 'follow']);
    const calls = async (): Promise<string[]> =>
      (await one.host.read('/run/lab/called')).split('\n').filter(line => line !== '');
    const called = (count: number) =>
      until(async () => (await calls()).length === count, PATIENCE, `${count} calls`);
    const noted = (words: string, isThere = true) =>
      until(
        async () => (await one.host.read('/run/hnet/cluster/outside.json')).includes(words) === isThere,
        PATIENCE,
        `${words} ${isThere ? 'noted' : 'forgotten'}`,
      );

    await called(2);
    expect(new Set(await calls())).to.deep.equal(
      new Set(['--token x y 123.45.90.112/29 h1', '--token x y 123.45.53.12 h1']),
    );
    expect((await hnet(one, 'check')).stdout)
      .to.contain('the outside has not followed 123.45.90.112/29 yet')
      .and.contain('the outside has not followed 123.45.53.12 yet');

    await one.host.write('/run/lab/go', 'echo "rate limit"; case "$*" in *53.12*) exit 3 ;; esac');
    await noted('exit code 3: rate limit');
    const { stderr } = await hnet(one, 'status');
    expect(stderr).to.contain('123.45.53.12 yet: the command failed').and.contain('exit code 3: rate limit');
    expect(stderr, 'which was followed').not.to.contain('/29');

    await one.host.write('/run/lab/go', 'exit 0');
    await noted('"isFollowed": false', false);
    expect((await calls()).filter(line => line.includes('/29'))).to.have.length(1);

    // The last of a pool leaves, and comes back.
    const before = (await calls()).length;
    await one.release('vm1');
    await one.release('vm3');
    await noted('123.45.53.12', false);
    await one.prepare('vm3', ['123.45.53.12']);
    await called(before + 1);
    expect((await calls()).at(-1)).to.equal('--token x y 123.45.53.12 h1');
    await follower.stop();
    for (const name of ['vm2', 'vm3']) await one.release(name);
  });
});
