import { expect } from 'chai';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { changes, type Snapshot, snapshot } from './snapshot.ts';
import { POOLS, type Pooled, Stage } from './stage.ts';

const MAC = '52:54:00:aa:bb:02';
const POOLS6 = ['2001:db8:12:48::/64', '2001:db8:12:4900::/56'];

/** The main job in IPv6, with real VMs: one of each way in which a guest gets its address. */
describe('IPv6', () => {
  const stage = new Stage({ installed: false });
  let clean: Snapshot;
  let vms: Vm[];

  before(async () => {
    await stage.withoutEsbuild();
    await stage.install([...POOLS, ...POOLS6]);
    await stage.withoutServices();
    clean = await snapshot(stage.hv);
  });

  const answers = (address: string): Promise<boolean> => stage.lab.internet.ping(address);
  const healthy = async (name: string): Promise<unknown> =>
    (await stage.status(name)).flatMap(shown => shown.faults);

  it('finds the host fit, which has its own address in the pool', async () => {
    expect(await stage.hnet('doctor')).to.include({ code: 0, stdout: 'This host is fit' });
    expect(await stage.hv.run(['ip', '-6', 'route', 'show', 'proto', '104'])).to.equal(
      [
        'unreachable 2001:db8:12:48::/64 dev lo metric 200 pref medium',
        'unreachable 2001:db8:12:4900::/56 dev lo metric 200 pref medium',
      ].join('\n'),
    );
  });

  it('gives a domain an address of each family that end alike, and refuses what is not to be given', async () => {
    const still = `addr=123.45.90.116 gw=${stage.hv.address} addr6=2001:db8:12:48::116`;
    vms = [
      await stage.hv.vm({ name: 'vm1', append: still }),
      await stage.hv.vm({ name: 'vm2', mac: MAC, append: 'mode=dhcp6' }),
      await stage.hv.vm({ name: 'vm3', append: 'mode=slaac' }),
    ];
    for (const [address, why] of [
      ['2001:db8:12:48::2', /is the host's or the gateway's own address/],
      ['2001:db8:12:48::', /is the anycast address of the routers/],
      ['2001:db8:12::1', /is outside the pools/],
      ['2001:db8:12::/48', /the host's or the gateway's own address/],
      ['::ffff:123.45.90.116', /is an IPv4-mapped address/],
      ['fe80::1%eth0', /has a zone index/],
      ['2001:db8:12:48::1/64', /has host bits set/],
      ['ff02::1', /is a multicast address/],
      ['fe80::5', /is a link-local address/],
    ] as const) {
      const { code, stderr } = await stage.hnet('assign', 'vm1', address);
      expect(code, address).to.be.oneOf([1, 2]);
      expect(stderr, address).to.match(why);
    }
    expect(await stage.ok('assign', 'vm1', '123.45.90.116', '2001:db8:12:48::116')).to.equal(
      [
        'vm1: 123.45.90.116 on br116, bootstrap scope 172.30.116.0/24',
        'vm1: 2001:db8:12:48::116 on br116, bootstrap scope 172.30.116.0/24',
      ].join('\n'),
    );
    await stage.ok('assign', 'vm2', '2001:db8:12:48::117');
    await stage.ok('assign', 'vm3', '2001:db8:12:4901::/64');
    await stage.hv.vm({ name: 'vm4', boots: false });
    expect(await stage.ok('assign', 'vm4')).to.match(/123\.45\.90\.112 on .*\n.*2001:db8:12:48::112 on /);
    await stage.ok('unassign', 'vm4');
  });

  it('brings up one with a static address, one by DHCPv6, and one that makes its own of an advertised subnet', async () => {
    await Promise.all(vms.map(vm => vm.start()));
    const [one, two, three] = await Promise.all(vms.map(vm => vm.ready()));
    expect(one).to.equal('static 123.45.90.116 2001:db8:12:48::116');
    expect(two).to.equal('dhcp6 2001:db8:12:48::117');
    const [, own = ''] = /^slaac (2001:db8:12:4901:[0-9a-f:]+)\/64$/.exec(three ?? '') ?? [];
    expect(own, three).not.to.equal('');
    const addresses = ['2001:db8:12:48::116', '2001:db8:12:48::117', own];
    for (const [index, vm] of vms.entries()) {
      for (const to of [INTERNET6, ...addresses.filter((_, other) => other !== index)])
        expect(await vm.ping(to), `${index} to ${to}`).to.equal(true);
      expect(await answers(addresses[index] ?? ''), addresses[index]).to.equal(true);
    }
    expect(await vms[0]?.ping(INTERNET)).to.equal(true);
    expect(await answers('123.45.90.116')).to.equal(true);
    for (const name of ['vm1', 'vm2', 'vm3']) expect(await healthy(name), name).to.deep.equal([]);
    expect(await stage.ok('check')).to.equal('Everything is as it should be');
  });

  it('keeps every MAC of a guest off the uplink, and its address untranslated', async () => {
    const capture = stage.lab.gateway.start([
      'tcpdump',
      '-l',
      '-n',
      '-e',
      '-i',
      'h1',
      'icmp6',
      'and',
      'host',
      INTERNET6,
    ]);
    await capture.until(/listening on/, PATIENCE);
    expect(await vms[1]?.ping(INTERNET6)).to.equal(true);
    await capture.until(/echo reply/, PATIENCE);
    const seen = await capture.stop();
    expect(seen).to.match(/2001:db8:12:48::117 > 2001:db8:ffff::10: ICMP6, echo request/);
    expect(seen).not.to.include(MAC);
  });

  it('shows both families in status, pool and traffic', async () => {
    const rows = (await stage.status()).flatMap(({ domain, addresses }) =>
      addresses.map(({ address, lease }) => [domain, address, lease]),
    );
    expect(rows).to.deep.equal([
      ['vm1', '123.45.90.116', null],
      ['vm1', '2001:db8:12:48::116', null],
      ['vm2', '2001:db8:12:48::117', '2001:db8:12:48::117'],
      ['vm3', '2001:db8:12:4901::/64', null],
    ]);
    const pool = await stage.json<{ addresses: Pooled[] }>('pool');
    expect(pool.addresses.find(({ address }) => address === '2001:db8:12:48::117')).to.include({
      pool: '2001:db8:12:48::/64',
      state: 'up',
      domain: 'vm2',
      bridge: 'br117',
      interface: null,
    });
    const { addresses } = JSON.parse(await stage.ok('traffic', 'vm2', '--json'));
    expect(addresses[0].sinceStart.in.packets).to.be.above(0);
    expect(addresses[0].sinceStart.out.packets).to.be.above(0);
  });

  it("lets nothing out under an address that is not the VM's", async () => {
    const dropped = async (): Promise<number> =>
      JSON.parse(await stage.ok('traffic', '--json')).dropped['source not routed to its bridge'].packets;
    const count = await dropped();
    await vms[0]?.sh('ip addr add 2001:db8:12:48::99/128 dev lo');
    await vms[0]?.attempt(`ping -c 2 -W 1 -I 2001:db8:12:48::99 ${INTERNET6}`);
    await until(async () => (await dropped()) > count, PATIENCE, 'a drop');
  });

  it('leaves nothing when they stop', async () => {
    for (const name of ['vm1', 'vm2', 'vm3']) await stage.hv.virsh('destroy', name);
    await until(async () => (await stage.hnet('check')).code === 0, PATIENCE, 'the last release');
    expect(await changes(stage.hv, clean)).to.deep.equal([]);
  });

  it('has nothing of it after an uninstallation', async () => {
    for (const name of ['vm1', 'vm2', 'vm3']) await stage.ok('unassign', name, '--all');
    await stage.hv.run([...'/root/hnet/install.sh --uninstall --purge'.split(' ')]);
    for (const show of [
      'ip -6 route show table all proto 104',
      'ipset list -n',
      'nft list tables',
      'ip6tables-save',
    ])
      expect(await stage.hv.run(show.split(' ')), show).not.to.match(/hnet|104/);
  });
});
