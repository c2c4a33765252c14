import { expect } from 'chai';
import { Stage } from './stage.ts';

/** What `assign` and `unassign` do to a domain's metadata, and what they refuse. */
describe('hnet assign and unassign', () => {
  const stage = new Stage();
  let made = 0;

  /** A domain without interfaces, which has nothing to decide but its addresses. */
  async function domain(name = `vm${++made}`): Promise<string> {
    await stage.hv.vm({ name, nics: [], boots: false });
    return name;
  }

  /** Address, bridge and scope of a domain as libvirt keeps them. */
  async function assigned(name: string, ...flags: string[]): Promise<string[]> {
    const xml = await stage.xml(name, ...flags);
    return [
      ...xml.matchAll(/<hnet:address ip=['"](\S+)['"] bridge=['"](\S+)['"] scope=['"](\S+)['"]\/>/g),
    ].map(([, ip, bridge, scope]) => `${ip} ${bridge} ${scope}`);
  }

  /** An answer of hnet's that must be a refusal in one line. */
  async function refused(code: 1 | 2, ...argv: string[]): Promise<string> {
    const answer = await stage.hnet(...argv);
    expect(answer).to.include({ code, stdout: '' });
    expect(answer.stderr).not.to.match(/\n\s+at /);
    if (code === 1) expect(answer.stderr.split('\n')).to.have.length(1);
    return answer.stderr;
  }

  afterEach(() => stage.clean());

  it('keeps address, bridge, scope and owner in the metadata', async () => {
    const name = await domain();
    await stage.ok('assign', name, '123.45.90.116');
    expect(await assigned(name)).to.deep.equal(['123.45.90.116 br116 172.30.116.0/24']);
    const uuid = await stage.hv.virsh('domuuid', name);
    expect(await stage.xml(name)).to.match(
      new RegExp(`<hnet:assignment xmlns:hnet=.urn:hnet:1. domain=.${uuid}.>`),
    );
  });

  it('gives a domain a prefix that it routes on, and not without the address by which it does', async () => {
    const name = await domain();
    expect(await refused(1, 'assign', name, '123.45.90.112/30', '--via', '123.45.90.117')).to.contain(
      'Cannot assign via 123.45.90.117',
    );
    await stage.ok('assign', name, '123.45.90.117', '--no-nic');
    expect(
      await stage.ok('assign', name, '123.45.90.112/30', '--via', '123.45.90.117', '--no-nic'),
    ).to.contain('123.45.90.112/30 on br117, via 123.45.90.117');
    expect(await stage.xml(name)).to.match(
      /ip=.123\.45\.90\.112\/30. bridge=.br117. .*via=.123\.45\.90\.117./,
    );
    const lost = await refused(1, 'unassign', name, '123.45.90.117');
    expect(lost).to.contain(
      "123.45.90.112/30 is routed via 123.45.90.117, which the domain doesn't have on br117",
    );
    await stage.hv.virsh('start', name);
    expect(
      await stage.hv.run(['ip', 'route', 'show', '123.45.90.112/30', 'proto', '104', 'type', 'unicast']),
    ).to.match(/via 123\.45\.90\.117 dev br117 onlink/);
    await stage.hv.virsh('destroy', name);
    expect(await stage.hv.sh('ip route show proto 104 type unicast')).to.equal('');
    await stage.ok('unassign', name, '123.45.90.112/30');
    await stage.ok('unassign', name, '123.45.90.117');
  });

  it('takes the first free address of the pools, the network address included', async () => {
    const [first, second] = [await domain(), await domain()];
    await stage.ok('assign', first);
    await stage.ok('assign', second);
    expect(await assigned(first)).to.deep.equal(['123.45.90.112 br112 172.30.112.0/24']);
    expect(await assigned(second)).to.deep.equal(['123.45.90.113 br113 172.30.113.0/24']);
  });

  it('says so when no address is left', async () => {
    await stage.ok('assign', await domain(), '123.45.90.112/29');
    for (const last of [11, 12, 13]) await stage.ok('assign', await domain(), `123.45.53.${last}`);
    expect(await refused(1, 'assign', await domain())).to.match(
      /Cannot assign an address: all of the pools .* are taken/,
    );
  });

  it('adds to what a domain has, on the same bridge; the same again is success', async () => {
    const name = await domain();
    await stage.ok('assign', name, '123.45.90.116');
    await stage.ok('assign', name, '123.45.53.11', '123.45.90.119');
    const all = ['123.45.90.116', '123.45.53.11', '123.45.90.119'].map(ip => `${ip} br116 172.30.116.0/24`);
    expect(await assigned(name)).to.deep.equal(all);
    await stage.ok('assign', name, '123.45.53.11');
    await stage.ok('assign', name);
    expect(await assigned(name)).to.deep.equal(all);
  });

  it('takes some addresses away, or all, and then nothing', async () => {
    const name = await domain();
    await stage.ok('assign', name, '123.45.90.116', '123.45.90.117', '123.45.90.118');
    expect(await stage.ok('unassign', name, '123.45.90.117')).to.equal(`${name}: 123.45.90.117 released`);
    expect((await assigned(name)).map(line => line.split(' ')[0])).to.deep.equal([
      '123.45.90.116',
      '123.45.90.118',
    ]);
    expect(await refused(1, 'unassign', name, '123.45.90.117')).to.include(
      'holds 123.45.90.116, 123.45.90.118',
    );
    expect(await stage.ok('unassign', name, '--all')).to.equal(
      `${name}: 123.45.90.116, 123.45.90.118 released`,
    );
    expect(await stage.xml(name)).not.to.include('urn:hnet');
    expect(await stage.ok('unassign', name, '--all')).to.equal(`${name}: nothing was assigned`);
  });

  it('refuses an address that another domain holds, and names it', async () => {
    const [one, two] = [await domain(), await domain()];
    await stage.ok('assign', one, '123.45.90.116');
    expect(await refused(1, 'assign', two, '123.45.90.116')).to.equal(
      `hnet: Cannot assign 123.45.90.116: domain "${one}" holds it; hnet unassign releases it; the nearest free one is 123.45.90.117`,
    );
    expect(await refused(1, 'assign', two, '123.45.90.112/29')).to.include(
      `domain "${one}" holds it as part of`,
    );
    expect(await assigned(two)).to.deep.equal([]);
    await stage.ok('unassign', one, '--all');
    await stage.ok('assign', two, '123.45.90.116');
  });

  it('refuses what is not its to give', async () => {
    const name = await domain();
    expect(await refused(1, 'assign', name, '9.9.9.9')).to.include('outside the pools (123.45.90.112/29, ');
    expect(await refused(1, 'assign', name, '123.45.12.48')).to.include(
      "the host's or the gateway's own address",
    );
    expect(await refused(1, 'assign', name, '123.45.12.1')).to.include(
      "the host's or the gateway's own address",
    );
    expect(await refused(1, 'assign', 'nobody', '123.45.90.116')).to.include('Cannot find a domain "nobody"');
    expect(await stage.xml(name)).not.to.include('urn:hnet');
  });

  it('tells wrong usage from inability, by code 2', async () => {
    const name = await domain();
    expect(await refused(2, 'assign', name, '123.45.90.300')).to.include('"123.45.90.300"');
    expect(await refused(2, 'assign', name, '123.45.90.116', '123.45.90.116')).to.include('given before');
    expect(await refused(2, 'assign', name, '--nic', 'eth0')).to.include('not a MAC address');
    expect(await refused(2, 'unassign', name, 'x')).to.include('"x"');
    expect(await refused(2, 'assign')).to.include("missing required argument 'domain'");
    expect(await refused(2, 'frobnicate')).to.include("unknown command 'frobnicate'");
    expect(await refused(2, 'status', '--frobnicate')).to.include("unknown option '--frobnicate'");
  });

  it('gives two addresses with one last octet a bridge and a scope each', async () => {
    await stage.hv.sh(
      `sed -i 's,^pools.*,pools = ["123.45.90.8/29"\\, "123.45.53.11"\\, "123.45.53.12"\\, "123.45.90.112/29"],' /etc/hnet/hnet.toml`,
    );
    const [one, two] = [await domain(), await domain()];
    await stage.ok('assign', one, '123.45.53.12');
    await stage.ok('assign', two, '123.45.90.12');
    expect(await assigned(one)).to.deep.equal(['123.45.53.12 br12 172.30.12.0/24']);
    expect(await assigned(two)).to.deep.equal(['123.45.90.12 br90-12 172.30.0.0/24']);
    await stage.hv.virsh('start', one);
    await stage.hv.virsh('start', two);
    const routes = await stage.hv.run(['ip', 'route', 'show', 'proto', '104']);
    expect(routes).to.include('123.45.53.12 dev br12 ').and.include('123.45.90.12 dev br90-12 ');
    expect((await stage.status()).map(shown => shown.faults)).to.deep.equal([[], []]);
  });

  it('gives a running domain its address at once, live and persistent metadata alike', async () => {
    const name = await domain();
    await stage.hv.virsh('start', name);
    const { stderr } = await stage.hnet('assign', name, '123.45.90.116', '--no-nic');
    expect(stderr).to.include(
      `"${name}" runs, and not all is as it should be: none of its interfaces is on br116`,
    );
    const expected = ['123.45.90.116 br116 172.30.116.0/24'];
    expect(await assigned(name)).to.deep.equal(expected);
    expect(await assigned(name, '--inactive')).to.deep.equal(expected);
    expect(await stage.hv.run(['ip', 'route', 'show', '123.45.90.116'])).to.include('dev br116');
    expect(await stage.ok('unassign', name, '--all')).to.include(`${name} is running: this is in force now`);
    expect(await assigned(name)).to.deep.equal([]);
    expect(await assigned(name, '--inactive')).to.deep.equal([]);
    expect((await stage.hv.attempt(['ip', 'link', 'show', 'br116'])).code).not.to.equal(0);
  });

  it('takes a scope that it is told, at once for a new bridge and at the next start for one in use', async () => {
    const [name, other] = [await domain(), await domain()];
    expect(await stage.ok('assign', name, '123.45.90.116', '--scope', '10.77.0.0/28')).to.include(
      '123.45.90.116 on br116, bootstrap scope 10.77.0.0/28',
    );
    expect(await refused(1, 'assign', other, '123.45.90.117', '--scope', '10.77.0.8/29')).to.equal(
      `hnet: Cannot use --scope 10.77.0.8/29: "${name}" has 10.77.0.0/28 on br116; choose another`,
    );
    expect(await refused(1, 'assign', other, '--scope', '9.9.9.0/24')).to.include('nor private');
    expect(await refused(2, 'assign', other, '--scope', '10.77.0.0/30')).to.include(
      'not an IPv4 subnet of /16 to /29',
    );
    expect(await assigned(other)).to.deep.equal([]);
    await stage.hv.virsh('start', name);
    const guest = await stage.hv.guest({ name: 'vm1', bridge: 'br116' });
    expect((await guest.dhcp()).router).to.equal('10.77.0.1');
    expect(await guest.ping('123.45.200.10')).to.equal(true);
    expect(await refused(1, 'assign', name, '--scope', '10.78.0.0/24')).to.equal(
      `hnet: Cannot use --scope 10.78.0.0/24: "${name}" runs with 10.77.0.0/28 on br116; shut it down first`,
    );
    await stage.hv.virsh('destroy', name);
    await stage.ok('assign', name, '123.45.53.11', '--scope', '10.78.0.0/24');
    expect(await assigned(name)).to.deep.equal(
      ['123.45.90.116', '123.45.53.11'].map(ip => `${ip} br116 10.78.0.0/24`),
    );
    await stage.hv.virsh('start', name);
    expect(await stage.hv.run(['ip', '-br', 'address', 'show', 'br116'])).to.include('10.78.0.1/24');
    expect(await stage.ok('check', name)).to.equal('Everything is as it should be');
    await stage.hv.virsh('start', other);
    expect(await stage.ok('assign', other, '123.45.90.117', '--scope', '10.79.0.0/24')).to.include(
      'in force now',
    );
    expect(await stage.ok('check', other)).to.equal('Everything is as it should be');
  });

  it('finds a domain by its UUID', async () => {
    const name = await domain();
    await stage.ok('assign', await stage.hv.virsh('domuuid', name), '123.45.90.116');
    expect(await assigned(name)).to.have.length(1);
  });

  it('refuses a clone at its start, and lets it have an address of its own', async () => {
    const name = await domain();
    await stage.ok('assign', name, '123.45.90.116');
    const uuid = await stage.hv.virsh('domuuid', name);
    await stage.hv.sh(
      `virsh dumpxml ${name} | sed -e '/<uuid>/d' -e 's,<name>.*,<name>clone</name>,' >/root/clone.xml`,
    );
    await stage.hv.virsh('define', '/root/clone.xml');
    const { code, stderr } = await stage.hv.attempt(['virsh', 'start', 'clone']);
    expect(code).to.equal(1);
    expect(stderr).to.match(
      new RegExp(
        `Cannot start "clone": its metadata assigns 123\\.45\\.90\\.116 to the domain with UUID ${uuid}, so`,
      ),
    );
    expect(await stage.ok('status')).to.match(
      /^clone +stopped .*a clone: its metadata is another domain's$/m,
    );
    await stage.ok('assign', 'clone', '123.45.90.117');
    expect((await assigned('clone')).map(line => line.split(' ')[0])).to.deep.equal(['123.45.90.117']);
    expect((await assigned(name)).map(line => line.split(' ')[0])).to.deep.equal(['123.45.90.116']);
    await stage.hv.virsh('start', 'clone');
  });

  it('serves two commands at once, each with an address of its own', async () => {
    const names = [await domain(), await domain(), await domain(), await domain()];
    await Promise.all(names.map(name => stage.ok('assign', name)));
    const all = await Promise.all(names.map(name => assigned(name)));
    expect(new Set(all.flat()).size).to.equal(4);
  });
});
