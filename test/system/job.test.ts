import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE } from '../lab/wait.ts';
import { changes, type Snapshot, snapshot } from './snapshot.ts';
import { type Pooled, Stage } from './stage.ts';

type Vm = Awaited<ReturnType<Stage['hv']['vm']>>;

/** The README's promise, from the first command to the last, with two real VMs. */
describe('the main job', () => {
  const stage = new Stage();
  let base: Snapshot;
  let still: Vm;
  let client: Vm;

  it("has two domains, whose interfaces are on libvirt's default network", async () => {
    const nic = { type: 'network', source: 'default' } as const;
    still = await stage.hv.vm({ name: 'vm1', nic, append: `addr=123.45.90.116 gw=${stage.hv.address}` });
    client = await stage.hv.vm({ name: 'vm2', nic });
    base = await snapshot(stage.hv);
    expect(await stage.ok('status')).to.include('No domain has an address');
  });

  it('assigns an address by `hnet-assign`, and the first free one by `hnet assign`', async () => {
    const said = await stage.hv.run(['hnet-assign', 'vm1', '123.45.90.116']);
    expect(said).to.equal('vm1: 123.45.90.116 on br116, bootstrap scope 172.30.116.0/24');
    expect(await stage.ok('assign', 'vm2')).to.equal(
      'vm2: 123.45.90.112 on br112, bootstrap scope 172.30.112.0/24',
    );
    expect(await stage.xml('vm1')).to.include("<source bridge='br116'/>");
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });

  it('prints the plan of a start as commands, and changes nothing by it', async () => {
    const plan = await stage.ok('plan', 'vm1');
    expect(plan.split('\n')).to.include.members([
      'ip route replace 123.45.90.116/32 dev br116 proto 104',
      'ip address replace 172.30.116.1/24 dev br116',
      'ipset add hnet4-in 123.45.90.116/32 packets 0 bytes 0',
    ]);
    expect(plan).to.match(/ip link add name br116 .*type bridge/);
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });

  it('brings everything up with `virsh start`', async () => {
    await Promise.all([still.start(), client.start()]);
    const link = await stage.hv.run(['ip', '-d', 'link', 'show', 'br116']);
    for (const word of [
      'stp_state 0',
      'forward_delay 0',
      'ageing_time 0',
      'mcast_snooping 0',
      '02:68:ac:1e:74:01',
    ])
      expect(link).to.include(word);
    expect(await stage.hv.run(['ip', 'route', 'show', '123.45.90.116'])).to.match(/dev br116 proto 104/);
    expect(await stage.hv.run(['ip', '-br', 'addr', 'show', 'br116'])).to.match(/172\.30\.116\.1\/24 *$/);
  });

  it('has the static VM reached from outside and seeing outside, with its own address', async () => {
    expect(await still.ready()).to.equal('static 123.45.90.116');
    expect(await stage.lab.internet.ping('123.45.90.116')).to.equal(true);
    expect(await stage.web('123.45.90.116')).to.equal('a guest of hnet');
    expect(await sourceOf(still)).to.equal('123.45.90.116');
  });

  it('gives the other VM a bootstrap lease, with which it sees outside as the host', async () => {
    expect(await client.ready()).to.match(/^dhcp 172\.30\.112\.\d+$/);
    expect(await sourceOf(client)).to.equal(stage.hv.address);
    const lease = await client.sh('cat /run/lease.eth0');
    expect(lease).to.include('router=172.30.112.1\n');
    expect(lease).to.include('dns=123.45.200.10\n');
    expect(lease).to.include('domain=lan\n');
    expect(lease).to.include('lease=3600\n');
  });

  it('has the VMs reach each other, and the host reach both', async () => {
    await client.sh(`ip addr add 123.45.90.112/32 dev lo`);
    expect(await still.ping('123.45.90.112')).to.equal(true);
    expect(await client.ping('123.45.90.116')).to.equal(true);
    expect(await stage.hv.ping('123.45.90.116')).to.equal(true);
    expect(await stage.lab.internet.ping('123.45.90.112')).to.equal(true);
  });

  it('shows domains, leases and health, for people and for programs', async () => {
    const [header, ...rows] = (await stage.ok('status')).split('\n').map(line => line.split(/ {2,}/));
    expect(header).to.deep.equal(['DOMAIN', 'STATE', 'ADDRESS', 'BRIDGE', 'LEASE', 'POLICY', 'HEALTH']);
    const vm1 = rows.find(([name]) => name === 'vm1');
    expect(vm1).to.deep.equal(['vm1', 'running', '123.45.90.116', 'br116', '-', 'open', 'ok']);
    const [vm2] = await stage.status('vm2');
    expect(vm2).to.deep.include({ domain: 'vm2', state: 'running', faults: [] });
    expect(vm2?.addresses[0]).to.include({ address: '123.45.90.112', bridge: 'br112' });
    expect(vm2?.addresses[0]?.lease).to.match(/^172\.30\.112\.\d+$/);
  });

  it('shows the pools: how much is free, and address by address', async () => {
    const rows = async (...options: string[]) =>
      (await stage.json<{ addresses: Pooled[] }>('pool', ...options)).addresses.map(
        ({ address, state, domain }) => `${address} ${state} ${domain}`,
      );
    expect(await stage.ok('pool')).to.match(/^POOL .*\n123\.45\.90\.112\/29 +6 of 8 +0 +2 +0$/m);
    expect(await rows()).to.deep.equal(['123.45.90.112 up vm2', '123.45.90.116 up vm1']);
    expect((await stage.ok('pool', '--free')).split('\n').slice(0, 4)).to.deep.equal(
      [113, 114, 115, 117].map(last => `123.45.90.${last}`),
    );
    expect(await rows('--all')).to.deep.equal([
      '123.45.90.112 up vm2',
      ...[113, 114, 115].map(last => `123.45.90.${last} free null`),
      '123.45.90.116 up vm1',
      ...[117, 118, 119].map(last => `123.45.90.${last} free null`),
      ...[11, 12, 13].map(last => `123.45.53.${last} free null`),
    ]);
    expect(await stage.ok('pool')).to.match(/^123\.45\.90\.116 +up +vm1 +br116$/m);
  });

  it('notices in the status what somebody removed, and says so', async () => {
    await stage.hv.run(['ip', 'route', 'del', '123.45.90.116', 'dev', 'br116']);
    expect(await stage.ok('status', 'vm1')).to.match(/running .* route 123\.45\.90\.116 to br116: missing/);
    await stage.hv.sh('ip route add 123.45.90.116 dev br116 proto 104');
    expect(await stage.ok('status', 'vm1')).to.match(/running .* ok$/m);
  });

  it('takes everything down with `virsh destroy`', async () => {
    await Promise.all([still.destroy(), client.destroy()]);
    expect(await changes(stage.hv, base)).to.deep.equal([]);
    expect(
      await stage.hv.run([
        'find',
        '/run/hnet/attachments',
        '/run/hnet/claims',
        '/run/hnet/dhcp',
        '-mindepth',
        '1',
      ]),
    ).to.equal('');
    expect(await stage.lab.internet.ping('123.45.90.116')).to.equal(false);
  });

  it('logs one line for each operation, with what it did', async () => {
    const lines = (await stage.journal()).split('\n').filter(line => line.includes('"vm1"'));
    expect(lines).to.have.length(2);
    expect(lines[0]).to.match(/^prepare "vm1": brought up .*bridge br116, .* in \d+ ms$/);
    expect(lines[1]).to.match(/^release "vm1": took down br116$/);
  });

  /** The source address with which the VM's pings arrive at the Internet. */
  async function sourceOf(vm: Vm): Promise<string | undefined> {
    const capture = stage.lab.internet.start(['tcpdump', '-l', '-n', '-i', 'eth0', 'icmp']);
    await capture.until(/listening on/, PATIENCE);
    expect(await vm.ping(INTERNET)).to.equal(true);
    await capture.until(/ICMP echo request/, PATIENCE);
    return /IP (\S+) > \S+ ICMP echo request/.exec(await capture.stop())?.[1];
  }
});
