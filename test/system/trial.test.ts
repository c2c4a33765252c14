import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { POOLS, Stage } from './stage.ts';

const FILE = '/etc/hnet/hnet.toml';
const GOOD = `pools = ${JSON.stringify(POOLS)}\nuplink = "eth0"\n`;
const MORE = '203.0.113.64/29';
const BETTER = GOOD.replace('[', `["${MORE}",`);
/** The gateway is another than the configuration says, and lies in a pool. */
const CUT = `${GOOD.replace('[', '["123.45.12.0/31",')}gateway = "123.45.12.2"\n`;
const BACK =
  /Cannot use \/etc\/hnet\/hnet\.toml: the gateway 123\.45\.12\.1 does not answer any more, so the one before it is in force again/;
const PORT = 2222;

/** As sshd does: a terminal for each connection, in which a command runs that is told who connected. */
const DAEMON = `require('net').createServer(one => {
  const SSH_CONNECTION = [one.remoteAddress, one.remotePort, one.localAddress, one.localPort].join(' ');
  const shell = require('child_process').spawn('script', ['-qec', 'hnet sync; echo "exit code $?"', '/dev/null'],
    { env: { ...process.env, SSH_CONNECTION } });
  shell.stdout.pipe(one);
}).listen(${PORT}, '0.0.0.0', () => console.log('listening'))`;
const SESSION = 'session.service';

/** `hnet sync` of a changed configuration, by an administrator who may cut himself off, on a real systemd. */
describe('a changed configuration', () => {
  const stage = new Stage();

  before(async () => {
    await stage.hv.write(FILE, GOOD);
    await stage.ok('sync');
    await stage.hv.write('/root/session.cjs', DAEMON);
    await stage.hv.run([
      'systemd-run',
      '--quiet',
      `--unit=${SESSION}`,
      process.execPath,
      '/root/session.cjs',
    ]);
  });

  afterEach(async () => {
    await stage.hv.write(FILE, GOOD);
    await stage.ok('sync');
    // Or the same would not be tried again.
    await stage.hv.sh('rm -f /run/hnet/hnet.toml.rejected');
  });

  /** Connects from the Internet, and gets what the terminal shows. */
  const connect = () =>
    stage.lab.internet.start([
      process.execPath,
      '-e',
      `const retry = () => require('net').connect(${PORT}, '${stage.hv.address}').on('error', () => setTimeout(retry, 100)).pipe(process.stdout); retry()`,
    ]);

  /** Whether the gateway reaches the host that it has forgotten. */
  async function isReached(): Promise<boolean> {
    await stage.lab.gateway.sh('ip neigh flush dev h1');
    return stage.lab.gateway.ping(stage.hv.address);
  }
  const isCut = async () => !(await isReached());
  const left = () => stage.hv.sh('cd /run/hnet; ls hnet.toml*');
  /** Those that would end a trial. */
  const waiting = () => stage.hv.sh(`systemctl list-units --all --no-legend --plain 'run-*.service'`);

  it('that is good stays, and nothing waits to take it back', async () => {
    await stage.hv.write(FILE, BETTER);
    const session = connect();
    await session.until(/exit code 0/, PATIENCE);
    await session.stop();
    expect(await stage.hv.run(['ip', 'route', 'show', MORE])).to.include('blackhole');
    expect(await stage.hv.read('/run/hnet/hnet.toml')).to.equal(BETTER.trim());
    expect(await left()).to.equal('hnet.toml');
    await until(async () => (await waiting()) === '', PATIENCE, 'the end of what waited');
    expect(await isReached()).to.equal(true);
    expect(await stage.ok('sync')).to.equal('');
  });

  it('that cuts off the gateway is taken back, and the connection by which it came goes on', async () => {
    await stage.hv.write(FILE, CUT);
    const session = connect();
    await until(isCut, PATIENCE, `the cut\n${session.output}`);
    await session.until(/exit code 1/, PATIENCE);
    expect(await session.stop()).to.match(BACK);
    expect(await isReached()).to.equal(true);
    expect(await left()).to.equal('hnet.toml\nhnet.toml.rejected');
    expect((await stage.hnet('sync')).stderr).to.match(/cut off the host when it was applied/);
  });

  it('is taken back though the session ends with all of its processes', async () => {
    await stage.hv.write(FILE, CUT);
    const session = connect();
    await until(isCut, PATIENCE, `the cut\n${session.output}`);
    const syncs = async () => (await stage.hv.attempt(['pgrep', '-fa', '/usr/lib/hnet/.* sync$'])).stdout;
    expect(await syncs()).not.to.equal('');
    await stage.hv.run(['systemctl', 'kill', '--signal=KILL', SESSION]);
    await until(async () => (await syncs()) === '', PATIENCE, 'the end of the session');
    expect(await isReached(), 'nobody has taken it back yet').to.equal(false);
    expect(await waiting()).to.match(/^run-\S+\.service +loaded +active +running/);
    await until(isReached, PATIENCE, 'the way back');
    expect(await left()).to.equal('hnet.toml\nhnet.toml.rejected');
    await until(async () => (await waiting()) === '', PATIENCE, 'the end of what waited');
    await session.stop();
  });

  it('is taken back by hnet-sync.service', async () => {
    await stage.hv.write(FILE, CUT);
    expect((await stage.hv.attempt(['systemctl', 'start', 'hnet-sync'])).code).to.equal(1);
    expect(await isReached()).to.equal(true);
    expect(await stage.hv.run(['journalctl', '-u', 'hnet-sync', '--no-pager', '-o', 'cat'])).to.match(BACK);
    expect(await left()).to.equal('hnet.toml\nhnet.toml.rejected');
  });
});
