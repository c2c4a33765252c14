import { expect } from 'chai';
import type { Outcome } from '../lab/run.ts';
import { COMMAND } from '../support/build.ts';
import { hnet } from '../support/command.ts';
import type { Scene } from '../support/scene.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

const CONFIG = '/etc/hnet/hnet.toml';
const POOL = '123.45.90.112/29';
/** A line of a terminal is erased before another one takes its place. */
const PROGRESS = '\r\u001b[K';

kernelSuite('hnet init', scene => {
  it('asks on a terminal, and asks again where an answer makes no sense', async () => {
    const one = await bare(await scene());
    const { code, stdout } = await typed(one, 'no such thing\n123.45.90.112/29, 123.45.53.11\n', 'init');
    expect(code).to.equal(0);
    expect(stdout.match(/Which addresses or subnets does your provider give to this host\?/g)).to.have.length(
      2,
    );
    expect(stdout).to.match(/"no" is not /);
    const text = await one.host.read(CONFIG);
    expect(text).to.match(/^pools = \["123\.45\.90\.112\/29", "123\.45\.53\.11"\]$/m);
    expect(text).to.match(/^uplink = "eth0"$/m);
    expect(await one.host.run(['ip', 'route'])).to.match(/^blackhole 123\.45\.90\.112\/29 /m);
  });

  it('asks nothing with --yes, or away from a terminal', async () => {
    const one = await scene();
    for (const run of [typed, piped]) {
      await bare(one);
      const { code, stdout } = await run(one, '9.9.9.9\n', 'init', ...(run === typed ? ['--yes'] : []));
      expect(code).to.equal(0);
      expect(stdout).not.to.include('Which addresses');
      expect(stdout).to.include('no pools yet: name your addresses in /etc/hnet/hnet.toml');
      expect(await one.host.read(CONFIG)).to.match(/^pools = \[\]$/m);
    }
  });

  it('says on a terminal what it is doing, and in no file, nor with -q', async () => {
    const one = await bare(await scene());
    const { stdout } = await typed(one, '', 'init', '--yes', '--pool', POOL);
    for (const doing of [
      'looking for the uplinks',
      `asking the gateway of eth0 how ${POOL} comes here`,
      'examining this host',
    ])
      expect(stdout).to.include(`${PROGRESS}${doing} …`);
    const quiet = await typed(one, '', '-q', 'init', '--yes');
    expect(quiet.stdout).not.to.include(PROGRESS);
    const { stdout: out, stderr } = await piped(one, '', 'init', '--yes');
    expect(out + stderr).not.to.include('…');
  });

  it('says what it would write, and changes nothing; then answers what it has done', async () => {
    const one = await bare(await scene());
    const before = await snapshot(one.host);
    const answer = async (...argv: string[]) =>
      JSON.parse((await hnet(one, 'init', '--json', ...argv)).stdout);
    const planned = await answer('--pool', POOL, '--dry-run');
    await expectUnchanged(one.host, before);
    expect(planned).to.deep.include({ dryRun: true, changed: true, online: null, findings: [] });
    expect(planned.uplinks).to.deep.equal([
      {
        devices: ['eth0'],
        address: one.host.address,
        gateway: '123.45.12.1',
        pools: [POOL],
        delivery: { ipv4: 'routed', ipv6: null },
      },
    ]);
    const done = await answer('--pool', POOL);
    expect(done).to.deep.include({ dryRun: false, changed: true, online: true, config: planned.config });
    expect(done.findings).to.have.length.above(0);
    expect(await one.host.read(CONFIG)).to.equal(planned.config.trimEnd());
    expect(await answer('--pool', POOL)).to.deep.include({
      changed: false,
      config: planned.config,
      uplinks: [],
    });
  });

  it('changes nothing when it is run again, and says which pools it has not added', async () => {
    const one = await bare(await scene());
    expect(await hnet(one, 'init', '--pool', POOL)).to.include({ code: 0 });
    const [text, before] = [await one.host.read(CONFIG), await snapshot(one.host)];
    const { code, stdout } = await hnet(one, 'init', '--pool', '123.45.90.113', '--pool', '123.45.53.11');
    expect(code).to.equal(0);
    expect(stdout).to.include(
      `${CONFIG} is there and stays: add 123.45.53.11 to its pools yourself, then: hnet sync`,
    );
    expect(await one.host.read(CONFIG)).to.equal(text);
    await expectUnchanged(one.host, before);
  });

  it('writes what it knows where there is no default route, says so, and goes on once there is one', async () => {
    const one = await bare(await scene());
    await one.host.sh('ip route save default >/run/default; ip route del default');
    const before = await snapshot(one.host);
    const { code, stdout } = await hnet(one, 'init', '--pool', POOL);
    expect(code).to.equal(0);
    expect(stdout).to.match(
      /^there is no default route yet: the filter comes up at the first start of a domain$/m,
    );
    expect(await one.host.read(CONFIG)).to.match(/^# uplink = "eth0"$/m);
    await expectUnchanged(one.host, before);
    const asked = await typed(await bare(one), `eth9\neth0\n`, 'init', '--pool', POOL);
    expect(asked.stdout).to.include('There is no default route. Which interface leads to the Internet?');
    expect(asked.stdout).to.include('"eth9" is none of eth0');
    expect(await one.host.read(CONFIG)).to.match(/^uplink = "eth0"$/m);
    await one.host.sh('ip route restore </run/default');
    expect(await hnet(one, 'init')).to.include({ code: 0 });
    expect(await one.host.run(['ip', 'route'])).to.match(/^blackhole 123\.45\.90\.112\/29 /m);
  });

  it('refuses what it cannot use in one sentence, and changes nothing', async () => {
    const one = await bare(await scene());
    const before = await snapshot(one.host);
    expect(await hnet(one, 'init', '--pool', '123.45.12.48')).to.deep.equal({
      code: 1,
      stdout: '',
      stderr:
        'hnet: Cannot use what would be the first hnet.toml, line 7, key "pools": the pool contains 123.45.12.48, the host\'s or the gateway\'s own address',
    });
    expect(await hnet(one, 'init', '--pool', '300.1.1.1')).to.include({ code: 2, stdout: '' });
    await one.host.sh('mkdir -p /etc/hnet; mount -t tmpfs -o ro none /etc/hnet');
    const { code, stderr } = await hnet(one, 'init', '--pool', POOL);
    await one.host.sh('umount /etc/hnet');
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr: `hnet: Cannot write ${CONFIG}: EROFS: read-only file system, open '${CONFIG}~'; make that possible and run this again`,
    });
    await one.configure('pools = [');
    expect((await hnet(one, 'init')).stderr).to.match(
      /^hnet: Cannot use \/etc\/hnet\/hnet\.toml, line 1: \S.*$/,
    );
    expect(await one.host.read(CONFIG)).to.equal('pools = [');
    await bare(one);
    await expectUnchanged(one.host, before);
  });
});

/** A host on which hnet was never set up. */
async function bare(one: Scene): Promise<Scene> {
  await one.host.sh('rm -rf /etc/hnet');
  return one;
}

/** As from a terminal, whose both outputs come as one. */
function typed(one: Scene, input: string, ...argv: readonly string[]): Promise<Outcome> {
  const words = [process.execPath, COMMAND, ...argv].join(' ');
  return one.host.attempt(['script', '--quiet', '--return', '--command', words, '/dev/null'], { input });
}

const piped = (one: Scene, input: string, ...argv: readonly string[]): Promise<Outcome> =>
  one.host.attempt([process.execPath, COMMAND, ...argv], { input });
