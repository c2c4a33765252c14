import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { expectRefusal } from '../support/refusal.ts';
import { bridgeOf, VARIANTS } from '../support/scene.ts';
import { difference, expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

/** More than one host starts at once after a power cut, and all of the subnet below. */
const MANY = 20;
const POOL = '123.45.94.0/27';
const many = Array.from({ length: MANY }, (_, index) => ({ name: `vm${index}`, ip: `123.45.94.${index}` }));

kernelSuite('in parallel', scene => {
  for (const variant of VARIANTS) {
    it(`${MANY} domains start at once, on a host with nothing, and stop at once (${variant})`, async () => {
      const one = await scene({ variant, pools: [POOL], config: `pools = ["${POOL}"]\n` });
      await Promise.all(many.map(({ name, ip }) => one.prepare(name, [ip])));
      const [first, last] = [many[0], many.at(-1)].map(each => each ?? { name: '', ip: '' });
      for (const { ip, name } of [first, last].filter(each => each !== undefined)) {
        const guest = await one.host.guest({ name, bridge: bridgeOf(ip) });
        await guest.static(ip, one.host.address);
        expect(await guest.ping(INTERNET), name).to.equal(true);
        await guest.unplug();
      }
      expect(await one.host.run(['pgrep', '-c', '-x', 'dnsmasq'])).to.equal(String(MANY));
      const saved = await one.host.run(['iptables-save']);
      expect(saved.match(/-j hnet-forward$/gm)).to.have.length(1);
      await Promise.all(many.map(({ name }) => one.release(name)));
      const after = await snapshot(one.host);
      expect(after).not.to.match(/dnsmasq|\.json|172\.30\.\d+\.1|br\d+/);
      await one.baseDown();
      await one.base();
      expect(difference(after, await snapshot(one.host))).to.deep.equal([]);
    });
  }

  it('one of several domains gets an address that all of them want', async () => {
    const one = await scene();
    await one.base();
    const rivals = ['vm1', 'vm2', 'vm3', 'vm4', 'vm5'];
    const outcomes = await Promise.all(rivals.map(name => one.attemptPrepare(name, ['123.45.90.116'])));
    const winners = rivals.filter((_, index) => outcomes[index]?.code === 0);
    expect(winners).to.have.length(1);
    outcomes.forEach((outcome, index) => {
      if (outcome.code !== 0)
        expectRefusal(outcome, rivals[index] ?? '', `123.45.90.116 is in use by domain "${winners[0]}"`);
    });
    const [winner = ''] = winners;
    const running = await snapshot(one.host);
    for (const loser of rivals.filter(name => name !== winner)) await one.release(loser);
    await expectUnchanged(one.host, running);
  });

  it('starts, stops and repairs get along', async () => {
    const one = await scene();
    await one.base();
    const before = await snapshot(one.host);
    await one.prepare('vm1', ['123.45.90.112']);
    await one.prepare('vm2', ['123.45.90.113']);
    await Promise.all([
      one.release('vm1'),
      one.reconnect('vm2'),
      one.prepare('vm3', ['123.45.90.114']),
      one.prepare('vm4', ['123.45.90.115']),
    ]);
    const bridges = await one.host.run(['ip', '-br', 'link', 'show', 'type', 'bridge']);
    expect(
      bridges
        .split('\n')
        .map(line => line.split(' ')[0])
        .sort(),
    ).to.deep.equal(['br113', 'br114', 'br115']);
    for (const name of ['vm2', 'vm3', 'vm4']) await one.release(name);
    await expectUnchanged(one.host, before);
  });

  it('whoever waits for a lock goes on as soon as it is free', async () => {
    const one = await scene();
    await one.base();
    await one.prepare('vm1', ['123.45.90.112']);
    const holder = one.host.start([
      'flock',
      '--no-fork',
      '/run/hnet/claims.lock',
      'sh',
      '-c',
      'echo held; exec sleep 600',
    ]);
    await holder.until(/held/, PATIENCE);
    const starting = one.prepare('vm2', ['123.45.90.113']);
    const waiting = () => one.host.attempt(['pgrep', '-f', 'flock --exclusive --wait']);
    await until(async () => (await waiting()).code === 0, PATIENCE, 'the start to wait');
    expect((await one.host.attempt(['ip', 'link', 'show', 'br113'])).code).to.equal(1);
    await holder.stop('SIGKILL');
    await starting;
  });

  it("the DHCP server inherits no lock, and none of the hook's outputs", async () => {
    const one = await scene();
    await one.prepare('vm1', ['123.45.90.116']);
    // Until it is settled it may still have to say why it refuses, into a file without a name.
    const settled = async () => {
      const list = await one.host.sh('ls -l /proc/$(pgrep -x dnsmasq)/fd');
      return list.includes(' 2 -> /dev/null') ? list : undefined;
    };
    const open = await until(settled, PATIENCE, 'the DHCP server to settle');
    const [input, output, error] = [0, 1, 2].map(fd => new RegExp(` ${fd} -> (.*)$`, 'm').exec(open)?.[1]);
    expect([input, output, error]).to.deep.equal(['/dev/null', '/dev/null', '/dev/null']);
    expect(open).to.match(/socket:/);
    expect(open).not.to.contain('/run/hnet/');
    expect(await one.host.sh('flock --nonblock /run/hnet/sync.lock echo free')).to.equal('free');
  });
});
