import { expect } from 'chai';
import { Pings } from '../lab/pings.ts';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { Stage } from './stage.ts';

type Vm = Awaited<ReturnType<Stage['hv']['vm']>>;

/** What a running domain has changes at once, with real VMs. */
describe('live changes of a running domain', () => {
  const stage = new Stage();

  // A guest goes on from test to test, for a boot is what costs most; one that failed may not have left it whole.
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await stage.clean();
  });

  /** A VM on the default network's place that runs already, configured for an address it has yet to get. */
  async function vm(name: string, words = '', boots = true): Promise<Vm> {
    await stage.hv.attempt(['ip', 'link', 'add', 'virbr0', 'type', 'bridge']);
    await stage.hv.run(['ip', 'link', 'set', 'virbr0', 'up']);
    return stage.hv.vm({ name, append: words, boots });
  }

  const still = (ip: string): string => `addr=${ip} gw=${stage.hv.address}`;
  const answers = (ip: string): Promise<boolean> => stage.lab.internet.ping(ip);
  const files = async (): Promise<string> =>
    stage.hv.sh('find /run/hnet/attachments /run/hnet/claims -mindepth 1 | sed "s,.*/,," | sort');
  const faults = async (name: string): Promise<unknown> =>
    (await stage.status(name)).flatMap(shown => shown.faults);

  let client: Vm;
  /** A VM that gets its public address by DHCP at its boot. */
  async function startClient(): Promise<Vm> {
    client = await vm('vm1');
    await stage.ok('assign', 'vm1', '123.45.90.116', '--dhcp', 'public');
    await client.start();
    expect(await client.ready()).to.equal('dhcp 123.45.90.116');
    return client;
  }

  it('has a VM with --dhcp public reach the Internet with its own address, with nothing configured in it', async () => {
    const one = await startClient();
    const lease = await one.sh('cat /run/lease.eth0');
    for (const line of ['mask=32', 'router=172.30.116.1', 'dns=123.45.200.10', 'hostname=vm1', 'domain=lan'])
      expect(lease.split('\n')).to.include(line);
    expect(lease).to.match(/staticroutes=172\.30\.116\.1\/32 0\.0\.0\.0 0\.0\.0\.0\/0 172\.30\.116\.1/);
    const capture = stage.lab.internet.start(['tcpdump', '-l', '-n', '-i', 'eth0', 'icmp']);
    await capture.until(/listening on/, PATIENCE);
    expect(await one.ping(INTERNET)).to.equal(true);
    await capture.until(/ICMP echo request/, PATIENCE);
    expect(await capture.stop()).to.match(/IP 123\.45\.90\.116 > 123\.45\.200\.10: ICMP echo request/);
    expect(await answers('123.45.90.116')).to.equal(true);
    expect(await faults('vm1')).to.deep.equal([]);
  });

  it('leases the address to the next interface at once, though the last one has a lease yet', async () => {
    const leasedTo = async (one: Vm): Promise<string> => {
      const mac = await one.sh('cat /sys/class/net/eth0/address');
      const leases = await stage.hv.run(['cat', '/var/lib/hnet/leases/br116.leases']);
      expect(leases).to.match(new RegExp(`^\\d+ ${mac} 123\\.45\\.90\\.116 \\S+ \\S+$`));
      return mac;
    };
    const last = await leasedTo(client);
    await stage.clean();
    // Defined anew, with another MAC.
    await startClient();
    expect(await leasedTo(client)).not.to.equal(last);
  });

  it('changes the mode at the next renewal, there and back, without a restart', async () => {
    const one = client;
    for (const [mode, address] of [
      ['bootstrap', /^172\.30\.116\.\d+\/24$/],
      ['public', /^123\.45\.90\.116\/32$/],
    ] as const) {
      await stage.ok('assign', 'vm1', '--dhcp', mode);
      // The client goes to the background once it has its first lease, and is deaf meanwhile.
      const now = () => one.sh("ip -4 addr show dev eth0 | awk '/inet / { print $2 }'");
      const renewed = async () => {
        await one.sh('kill -USR1 $(cat /run/udhcpc.pid); sleep 5');
        return address.test((await now()).trim());
      };
      await until(renewed, 120_000, `the ${mode} lease`);
      expect(await one.ping(INTERNET)).to.equal(true);
    }
    await stage.ok('assign', 'vm1', '--dhcp', 'off');
    expect(await stage.hv.run(['ss', '-Hulnp', 'sport = :67'])).to.equal('');
    expect(await faults('vm1')).to.deep.equal([]);
    expect(await stage.xml('vm1')).to.match(/<hnet:assignment [^>]*dhcp=.off.>/);
    await stage.clean();
  });

  let one: Vm;
  it('gives a running domain its first address, and takes it away', async () => {
    one = await vm('vm1', still('123.45.90.116'));
    await one.start();
    await one.ready();
    expect(await stage.ok('assign', 'vm1', '123.45.90.116')).to.include(
      'vm1 is running: this is in force now',
    );
    expect(await stage.xml('vm1')).to.include("<source bridge='br116'/>");
    expect(await stage.xml('vm1', '--inactive')).to.include("<source bridge='br116'/>");
    expect(await answers('123.45.90.116')).to.equal(true);
    expect(await one.ping(INTERNET)).to.equal(true);
    expect(await faults('vm1')).to.deep.equal([]);
    await stage.ok('unassign', 'vm1', '--all');
    expect(await answers('123.45.90.116')).to.equal(false);
    expect(await files()).to.equal('');
    expect(await stage.hv.run(['ip', '-br', 'link', 'show', 'type', 'bridge'])).not.to.include('br116');
    await stage.ok('assign', 'vm1', '123.45.90.116');
    expect(await answers('123.45.90.116')).to.equal(true);
  });

  it('adds and removes one of several, and the others lose no packet', async () => {
    await one.sh('ip addr add 123.45.90.117/32 dev lo; ip addr add 123.45.90.113/32 dev lo');
    const pings = await Pings.start(stage.lab.internet, '123.45.90.116');
    await stage.ok('assign', 'vm1', '123.45.90.117', '123.45.90.112/30');
    for (const ip of ['123.45.90.117', '123.45.90.113']) expect(await answers(ip), ip).to.equal(true);
    await stage.ok('unassign', 'vm1', '123.45.90.117');
    expect(await answers('123.45.90.117')).to.equal(false);
    expect(await answers('123.45.90.113')).to.equal(true);
    await stage.ok('assign', 'vm1', '--dhcp', 'public');
    await pings.more(20);
    const { lost, answered } = await pings.stop();
    expect(answered).to.be.above(100);
    expect(lost).to.equal(0);
    expect((await files()).split('\n')).to.include.members(['ip-123.45.90.112-30', 'ip-123.45.90.116-32']);
    expect(await files()).not.to.include('ip-123.45.90.117');
    await stage.ok('unassign', 'vm1', '123.45.90.116');
    expect(await answers('123.45.90.113')).to.equal(true);
    expect(await faults('vm1')).to.deep.equal([]);
  });

  it('moves an address between two running domains', async () => {
    // Now it is alone, on br116.
    await stage.ok('unassign', 'vm1', '--all');
    await stage.ok('assign', 'vm1', '123.45.90.116', '--dhcp', 'default');
    await one.sh('ip addr del 123.45.90.117/32 dev lo; ip addr del 123.45.90.113/32 dev lo');
    const two = await vm('vm2', still('123.45.90.117'));
    await stage.ok('assign', 'vm2', '123.45.90.117');
    await two.start();
    await two.ready();
    await two.sh('ip addr add 123.45.90.116/32 dev lo');
    const pings = await Pings.start(stage.lab.internet, '123.45.90.116');
    expect(await stage.ok('move', '123.45.90.116', 'vm1', 'vm2')).to.equal(
      '123.45.90.116 moved from vm1 to vm2, on br117',
    );
    await pings.more(20);
    const { answered, lost, gap } = await pings.stop();
    console.log(`      ${lost} of ${lost + answered} pings lost, longest gap ${gap} ms`);
    expect(await stage.hv.run(['ip', 'route', 'show', '123.45.90.116'])).to.include('dev br117');
    expect(await stage.xml('vm1')).not.to.include('urn:hnet');
    expect(await files()).not.to.include('br116');
    expect(await files()).to.include('ip-123.45.90.116-32');
    expect(await faults('vm2')).to.deep.equal([]);
    expect((await stage.hnet('move', '123.45.90.116', 'vm1', 'vm2')).stderr).to.equal(
      'hnet: Cannot move 123.45.90.116: "vm1" holds nothing',
    );
    await two.destroy();
    expect(await files()).to.equal('');
    await stage.hv.virsh('undefine', 'vm2');
  });

  it('serves a transient domain', async () => {
    // A domain that runs is transient once its definition is gone.
    await stage.hv.virsh('undefine', 'vm1');
    expect(await stage.hv.virsh('dominfo', 'vm1')).to.match(/^Persistent: +no$/m);
    const { code, stderr } = await stage.hnet('assign', 'vm1', '123.45.90.116');
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(await answers('123.45.90.116')).to.equal(true);
    await stage.ok('unassign', 'vm1', '123.45.90.116');
    expect(await answers('123.45.90.116')).to.equal(false);
    await stage.clean();
  });

  it('warns of a managed save, which holds the old assignment', async () => {
    const saved = await vm('vm1', '', false);
    await saved.start();
    await stage.hv.virsh('managedsave', 'vm1');
    const { code, stderr } = await stage.hnet('assign', 'vm1', '123.45.90.116');
    expect(code).to.equal(0);
    expect(stderr).to.match(/^hnet: "vm1" has a managed save, which holds the old assignment/);
  });
});
