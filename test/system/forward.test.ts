import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { Stage } from './stage.ts';

const INNER = '172.30.0.10';
const LOOPBACK = '198.51.100.9';

/** A VM that has no public address, and yet a name on the Internet: a port of the host. */
describe('a VM with a private address', () => {
  const stage = new Stage();
  let vm: Awaited<ReturnType<Stage['hv']['vm']>>;

  const outside = (port: number, address = stage.hv.address): Promise<string> =>
    stage.web(`${address}:${port}`);
  const files = (): Promise<string> =>
    stage.hv.sh('find /run/hnet/attachments /run/hnet/claims -mindepth 1 | sed "s,.*/,," | sort');

  before(async () => {
    await stage.hv.sh('ip link add virbr0 type bridge; ip link set virbr0 up');
    vm = await stage.hv.vm({ name: 'vm1' });
    expect(await stage.ok('assign', 'vm1', '--private')).to.contain(`vm1: ${INNER} on br0-10`);
    await vm.start();
  });

  it('leases it, and reaches the Internet', async () => {
    expect(await vm.ready()).to.equal(`dhcp ${INNER}`);
    expect(await vm.ping(INTERNET)).to.equal(true);
    const [shown] = await stage.status('vm1');
    expect(shown?.faults).to.deep.equal([]);
    expect(shown?.addresses).to.have.length(1);
    expect(shown?.addresses[0]).to.include({ address: INNER, bridge: 'br0-10', lease: INNER });
    expect((await stage.hnet('check')).code).to.equal(0);
    expect(await stage.ok('guest', 'vm1', '--format', 'ifupdown')).to.contain(`address ${INNER}`);
  });

  it('is called by a port of the host as soon as it is given one, while it runs', async () => {
    expect(await outside(8001)).to.equal('');
    expect(await stage.ok('forward', 'add', 'vm1', 'tcp/8001:80')).to.contain(
      `vm1: tcp/8001:80 leads to ${INNER} tcp/80`,
    );
    expect(await outside(8001)).to.equal('a guest of hnet');
    expect(await stage.ok('forward', 'list')).to.match(/vm1 +tcp\/8001:80 +172\.30\.0\.10 tcp\/80/);
    expect(await stage.xml('vm1')).to.contain('<hnet:forward>tcp/8001:80</hnet:forward>');
    expect((await stage.hnet('check')).code).to.equal(0);
    expect(await stage.ok('doctor', 'vm1')).to.contain(
      `${INNER}  the VM answers for it, the VM replies to a ping`,
    );
  });

  it('is refused what somebody else has, in one sentence, with all as it was', async () => {
    const before = await stage.xml('vm1');
    const server = stage.hv.start([process.execPath, '-e', 'require("net").createServer().listen(8002)']);
    await until(async () => (await stage.hv.run(['ss', '-Hltn'])).includes(':8002'), PATIENCE, 'the server');
    for (const [words, why, code] of [
      [['add', 'vm1', 'tcp/8002'], /of the host listens on tcp\/8002; choose another port/, 1],
      [['add', 'vm1', 'udp/67'], /dnsmasq of the host listens on udp\/67/, 1],
      [['add', 'vm1', 'tcp/8000-8010'], /tcp\/8001 leads to "vm1"/, 1],
      [['add', 'vm1', 'tcp/9000', '--on', '192.0.2.1'], /the host has no address 192\.0\.2\.1/, 1],
      [['add', 'vm1', 'tcp/9000', '--on', '127.0.0.1'], /only the host itself calls 127\.0\.0\.1; name/, 1],
      [['add', 'vm1', 'tcp/0'], /a port that is not from 1 to 65535/, 2],
      [['add', 'vm1', 'tcp/9-3'], /a range that ends before it begins/, 2],
      [['add', 'vm1', 'icmp'], /is not a forward such as tcp\/2201:22/, 2],
      [['delete', 'vm1', 'tcp/9'], /"vm1" has tcp\/8001:80/, 2],
    ] as const) {
      const outcome = await stage.hnet('forward', ...words);
      expect(outcome.stderr).to.match(why);
      expect(outcome.code, words.join(' ')).to.equal(code);
    }
    await server.stop();
    expect(await stage.xml('vm1')).to.equal(before);
    const { forwards } = await stage.json<{ forwards: unknown }>('forward', 'list');
    expect(forwards).to.have.length(1);
  });

  it('is called by an address that the host has on lo, as hosts that speak BGP have theirs', async () => {
    await stage.hv.run(['ip', 'address', 'add', LOOPBACK, 'dev', 'lo']);
    await stage.lab.gateway.run(['ip', 'route', 'add', LOOPBACK, 'via', stage.hv.address]);
    await stage.ok('forward', 'add', 'vm1', 'tcp/8004:80', '--on', LOOPBACK);
    expect(await outside(8004, LOOPBACK)).to.equal('a guest of hnet');
    expect((await stage.hnet('doctor')).stdout).not.to.contain(LOOPBACK);
    await stage.ok('forward', 'delete', 'vm1', 'tcp/8004:80', '--on', LOOPBACK);
    expect(await outside(8004, LOOPBACK)).to.equal('');
  });

  it('keeps its ports over a stop and a start, and loses one when it is taken away', async () => {
    await stage.ok('forward', 'add', 'vm1', 'tcp/8003:80', '--on', stage.hv.address);
    await stage.hv.virsh('destroy', 'vm1');
    expect(await files()).to.equal('');
    expect(await outside(8001)).to.equal('');
    await vm.start();
    expect(await vm.ready()).to.equal(`dhcp ${INNER}`);
    for (const port of [8001, 8003]) expect(await outside(port)).to.equal('a guest of hnet');
    await stage.ok('forward', 'delete', 'vm1', 'tcp/8001:80');
    expect(await outside(8001)).to.equal('');
    expect(await outside(8003)).to.equal('a guest of hnet');
  });

  it('may get a public address beside it, and loses all at the end', async () => {
    await stage.ok('assign', 'vm1', '123.45.90.116');
    await vm.sh('ip address add 123.45.90.116/32 dev eth0');
    expect(await stage.lab.internet.ping('123.45.90.116')).to.equal(true);
    expect(await outside(8003)).to.equal('a guest of hnet');
    const { stderr } = await stage.hnet('unassign', 'vm1', INNER);
    expect(stderr).to.equal('');
    expect(await stage.ok('forward', 'list')).to.contain('123.45.90.116 tcp/80');
    expect(await outside(8003)).to.equal('a guest of hnet');
    const last = await stage.hnet('unassign', 'vm1', '123.45.90.116');
    expect(last.stderr).to.contain('no address left for tcp/8003:80');
    expect(await stage.hv.sh('nft list ruleset; iptables-save')).not.to.contain('hnet-fwd-');
    expect((await stage.hnet('check')).code).to.equal(0);
  });
});
