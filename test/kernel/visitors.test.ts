import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { COMMAND, NODE } from '../support/build.ts';
import { ok } from '../support/command.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import type { Scene } from '../support/scene.ts';
import { difference, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

/** An operator of a private network at the provider, which scopes would hold. */
const OPERATOR = '10.5.5.5';

kernelSuite('a configuration that cuts off who is connected by SSH', scene => {
  const SCOPES = 'pools = ["123.45.90.112/29"]\nuplink = "eth0"\n[dhcp]\nscopes = "10.0.0.0/8"\n';
  const WHY =
    /line 4, key "dhcp\.scopes": "10\.0\.0\.0\/8": it holds 10\.5\.5\.5, which is connected to this host by SSH/;

  /** A host that is as it should be, with what a command says of the new configuration. */
  async function ready(prefix: readonly string[]) {
    const one = await scene({ config: 'pools = ["123.45.90.112/29"]\nuplink = "eth0"\n' });
    await FakeLibvirt.create(one);
    await one.base();
    expect(await ok(one, 'sync')).to.deep.equal([]);
    await one.lab.internet.sh(`ip address replace ${OPERATOR}/32 dev lo`);
    await one.lab.gateway.sh(`ip route replace ${OPERATOR} via ${INTERNET}`);
    expect(await one.lab.internet.ping(one.host.address, OPERATOR)).to.equal(true);
    return { one, told: (...argv: string[]) => one.host.attempt([...prefix, ...NODE, COMMAND, ...argv]) };
  }
  const state = async ({ host }: Scene): Promise<string> =>
    (await snapshot(host)).replaceAll(/^\/run\/hnet\/hnet\.toml.*\n/gm, '');

  it('is refused by sync and base up, to whom the environment tells it', async () => {
    const { one, told } = await ready(['env', `SSH_CONNECTION=${OPERATOR} 50000 123.45.12.48 22`]);
    const before = await state(one);
    await one.configure(SCOPES);
    for (const [argv, why] of [
      [['base', 'up'], WHY],
      [['sync'], WHY],
      [['sync'], /the one before it is in force/],
    ] as const) {
      const { code, stderr } = await told(...argv);
      expect({ argv, code }).to.deep.equal({ argv, code: 1 });
      expect(stderr, argv.join(' ')).to.match(why);
      expect(difference(before, await state(one)), argv.join(' ')).to.deep.equal([]);
    }
    expect(await one.lab.internet.ping(one.host.address, OPERATOR)).to.equal(true);
  });

  it('is refused by the daemon, and stays so once the connection is gone', async () => {
    const { one, told } = await ready([]);
    const before = await state(one);
    // What sudo leaves of the environment names nobody.
    await one.host.sh('cp /usr/bin/socat /run/lab/sshd');
    const server = one.host.start(['/run/lab/sshd', 'TCP-LISTEN:2222,fork', 'EXEC:cat']);
    const connect = `TCP:${one.host.address}:2222,bind=${OPERATOR},retry=100`;
    const client = one.lab.internet.start(['socat', connect, 'EXEC:sleep 1000']);
    await until(
      async () => (await one.host.sh('ss -Htn state established')).includes(OPERATOR),
      PATIENCE,
      'the connection',
    );
    await one.configure(SCOPES);
    const watch = one.host.start([...NODE, COMMAND, 'watch']);
    await watch.until(WHY, PATIENCE);
    await watch.stop();
    await client.stop();
    await server.stop();
    const { code, stderr } = await told('sync');
    expect({ code, stderr }).to.include({ code: 1 });
    expect(stderr).to.contain('the one before it is in force');
    expect(difference(before, await state(one))).to.deep.equal([]);
    expect(await one.lab.internet.ping(one.host.address, OPERATOR)).to.equal(true);
  });
});
