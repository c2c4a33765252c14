import { expect } from 'chai';
import { Stage } from './stage.ts';

/** Which address is whose after `hnet move`, with each filter; what it refuses, and what `assign` does of that kind. */
describe('hnet move', () => {
  const stage = new Stage();
  for (const backend of ['iptables', 'nftables'] as const)
    describe(`with ${backend}`, () => tests(stage, backend));
});

function tests(stage: Stage, backend: 'iptables' | 'nftables'): void {
  before(async () => {
    const file = '/etc/hnet/hnet.toml';
    await stage.hv.run(['sed', '-i', `s/^.*backend *=.*/backend = "${backend}"/`, file]);
    expect(await stage.hv.read(file)).to.include(`backend = "${backend}"`);
    await stage.ok('sync');
  });

  afterEach(() => stage.clean());

  /** A domain without interfaces: what happens in the host doesn't depend on them. */
  async function domain(name: string, ...addresses: string[]): Promise<void> {
    await stage.hv.vm({ name, nics: [], boots: false });
    if (addresses.length > 0) await stage.ok('assign', name, ...addresses, '--no-nic');
  }

  const holds = async (name: string, ...flags: string[]): Promise<(string | undefined)[]> =>
    [...(await stage.xml(name, ...flags)).matchAll(/ ip=['"](\S+)['"]/g)].map(([, ip]) => ip);
  const route = (ip: string) => stage.hv.run(['ip', 'route', 'show', ip]);
  const claims = () => stage.hv.sh('ls /run/hnet/claims');
  /** But that none of them has an interface. */
  const faults = async () =>
    (await stage.status())
      .flatMap(shown => shown.faults)
      .filter(fault => !fault.startsWith('none of its interfaces is on '));

  async function refused(code: 1 | 2, why: RegExp, ...argv: string[]): Promise<void> {
    const answer = await stage.hnet(...argv);
    expect(answer).to.include({ code, stdout: '' });
    expect(answer.stderr).to.match(why);
  }

  it('takes one of several, which both domains note in both their descriptions', async () => {
    await domain('vm1', '123.45.90.116', '123.45.90.117');
    await domain('vm2', '123.45.90.118');
    for (const name of ['vm1', 'vm2']) await stage.hv.virsh('start', name);
    await stage.ok('move', '123.45.90.116', 'vm1', 'vm2');
    for (const flags of [[], ['--inactive']]) {
      expect(await holds('vm1', ...flags)).to.deep.equal(['123.45.90.117']);
      expect(await holds('vm2', ...flags)).to.deep.equal(['123.45.90.118', '123.45.90.116']);
    }
    expect(await route('123.45.90.116')).to.match(/dev br118/);
    expect(await route('123.45.90.117')).to.match(/dev br116/);
    expect(await faults()).to.deep.equal([]);
    await stage.ok('move', '123.45.90.116', 'vm2', 'vm1');
    expect(await route('123.45.90.116')).to.match(/dev br116/);
    await stage.hv.virsh('destroy', 'vm2');
    expect(await faults()).to.deep.equal([]);
    await stage.hv.virsh('destroy', 'vm1');
    expect(await claims()).to.equal('');
  });

  it('leaves the giver its rules for the rest, and gives the taker its own for the address', async () => {
    await domain('vm1', '123.45.90.116', '123.45.90.117');
    await domain('vm2', '123.45.90.118');
    await stage.ok('firewall', 'vm1', 'default', 'deny');
    await stage.ok('firewall', 'vm1', 'isolate', 'on');
    await stage.ok('firewall', 'vm2', 'outbound', 'deny', 'tcp/25');
    for (const name of ['vm1', 'vm2']) await stage.hv.virsh('start', name);
    for (const last of ['116', '117']) {
      await stage.ok('move', `123.45.90.${last}`, 'vm1', 'vm2');
      expect(await faults()).to.deep.equal([]);
      expect((await stage.hnet('sync')).stdout).to.equal('');
    }
    expect(await holds('vm1')).to.deep.equal([]);
    await stage.hv.virsh('destroy', 'vm2');
    await stage.hv.virsh('destroy', 'vm1');
    const rest =
      backend === 'iptables'
        ? await stage.hv.sh('ipset save; iptables-save')
        : await stage.hv.run(['nft', 'list', 'ruleset']);
    expect(rest).not.to.match(/123\.45\.90\.11[678]\b(?!\/)/);
    expect(rest).not.to.match(/hnet-(in|out)-[0-9a-f]{16}/);
  });

  it('gives a stopped domain the address at its start, and a running one at once', async () => {
    await domain('vm1', '123.45.90.116');
    await domain('vm2');
    await stage.hv.virsh('start', 'vm1');
    await stage.ok('move', '123.45.90.116', 'vm1', 'vm2');
    expect(await route('123.45.90.116')).to.equal('');
    expect(await claims()).to.equal('');
    await stage.hv.virsh('start', 'vm2');
    expect(await route('123.45.90.116')).to.match(/dev br/);
    await stage.ok('move', '123.45.90.116', 'vm2', 'vm1');
    expect(await route('123.45.90.116')).to.match(/dev br/);
    expect(await holds('vm1')).to.deep.equal(['123.45.90.116']);
    expect(await faults()).to.deep.equal([]);
  });

  // Nothing of it reaches the filter.
  if (backend === 'iptables')
    it('refuses what makes no sense, and changes nothing', async () => {
      await domain('vm1', '123.45.90.112/30');
      await domain('vm2');
      await refused(
        1,
        /"vm1" holds it as part of 123\.45\.90\.112\/30, which moves as a whole/,
        'move',
        '123.45.90.113',
        'vm1',
        'vm2',
      );
      await refused(1, /"vm1" holds 123\.45\.90\.112\/30$/, 'move', '123.45.90.118', 'vm1', 'vm2');
      await refused(1, /it would go from "vm1" to itself/, 'move', '123.45.90.112/30', 'vm1', 'vm1');
      await refused(1, /Cannot find a domain "vm9"/, 'move', '123.45.90.112/30', 'vm1', 'vm9');
      await refused(
        2,
        /has host bits set: the subnet is 123\.45\.90\.112\/30/,
        'move',
        '123.45.90.113/30',
        'vm1',
        'vm2',
      );
      await refused(2, /"x" is not an IP address/, 'move', 'x', 'vm1', 'vm2');
      await refused(
        1,
        /domain "vm1" holds it as part of 123\.45\.90\.112\/30/,
        'assign',
        'vm2',
        '123.45.90.114',
      );
      await refused(
        2,
        /it overlaps 123\.45\.90\.116, given before/,
        'assign',
        'vm2',
        '123.45.90.116',
        '123.45.90.116',
      );
      await refused(2, /has host bits set/, 'assign', 'vm2', '123.45.90.117/30');
      await refused(1, /0\.0\.0\.0\/0 contains 123\.45\.12\.48, the host's/, 'assign', 'vm2', '0.0.0.0/0');
      await refused(
        2,
        /Cannot use --dhcp "yes": it is bootstrap, public, off, or default/,
        'assign',
        'vm2',
        '--dhcp',
        'yes',
      );
      expect(await holds('vm1')).to.deep.equal(['123.45.90.112/30']);
      expect(await stage.xml('vm2')).not.to.include('urn:hnet');
    });

  it('puts all back where an assignment to a running domain fails in the middle', async () => {
    await domain('vm1', '123.45.90.116');
    await stage.hv.virsh('start', 'vm1');
    await stage.hv.sh('ip route add 123.45.90.117/32 dev lo proto static');
    await refused(1, /a route of protocol static to lo exists/, 'assign', 'vm1', '123.45.90.117', '--no-nic');
    for (const flags of [[], ['--inactive']])
      expect(await holds('vm1', ...flags)).to.deep.equal(['123.45.90.116']);
    expect((await claims()).split('\n')).to.deep.equal([
      'bridge-br116',
      'ip-123.45.90.116-32',
      'scope-172.30.116.0-24',
    ]);
    expect(await faults()).to.deep.equal([]);
    await stage.hv.sh('ip route del 123.45.90.117/32');
  });
}
