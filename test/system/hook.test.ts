import { expect } from 'chai';
import { changes, type Snapshot, snapshot } from './snapshot.ts';
import { Stage } from './stage.ts';

const OWNER = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';
const assignment = (inner: string, owner = '') =>
  `<h:assignment xmlns:h="urn:hnet:1"${owner === '' ? '' : ` domain="${owner}"`}>${inner}</h:assignment>`;

/** What the hook refuses, and how libvirt's user learns of it; metadata is written by hand here. */
describe('the hook in libvirt', () => {
  const stage = new Stage();
  let base: Snapshot;

  before(async () => {
    base = await snapshot(stage.hv);
  });

  /** Starts a domain with metadata, which must fail; gives back the one line of ours in what the user sees. */
  async function refusal(metadata: string, bridge = 'br116', name = 'vm1'): Promise<string> {
    const vm = await stage.hv.vm({ name, nic: { type: 'bridge', source: bridge }, metadata, boots: false });
    const { code, stderr } = await stage.hv.attempt(['virsh', 'start', '--', vm.name]);
    await stage.hv.virsh('undefine', '--', vm.name);
    expect(code).to.equal(1);
    const lines = stderr.split('\n').filter(line => line.trim() !== '');
    const [ours = '', ...more] = lines.filter(line => line.includes('hnet:'));
    expect(more).to.deep.equal([]);
    expect(stderr).not.to.match(/\n\s+at /);
    return ours.replace(/^.*?hnet: /, '');
  }

  afterEach(async () => {
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });

  const cases: readonly [string, string, RegExp][] = [
    ['an address outside the pools', '<h:address ip="9.9.9.9"/>', /9\.9\.9\.9 is outside the pools/],
    ["the host's own address", '<h:address ip="123.45.12.48"/>', /123\.45\.12\.48 is the host's/],
    [
      "the gateway's address",
      '<h:address ip="123.45.12.1"/>',
      /123\.45\.12\.1 is the host's or the gateway's/,
    ],
    ['an address that is none', '<h:address ip="123.45.90.300"/>', /"123\.45\.90\.300"/],
    ['an empty assignment', '', /holds no address/],
    ['an unknown attribute', '<h:address ip="123.45.90.116" brigde="br1"/>', /unknown attribute "brigde"/],
    ["a bridge that isn't a name", '<h:address ip="123.45.90.116" bridge="../br"/>', /bridge "\.\.\/br"/],
    ['an address twice', '<h:address ip="123.45.90.116"/><h:address ip="123.45.90.116"/>', /overlaps/],
    ["a scope of the uplink's", '<h:address ip="123.45.90.116" scope="123.45.12.0/24"/>', /collides/],
  ];
  for (const [what, inner, message] of cases) {
    it(`refuses ${what} in one line, and leaves nothing`, async () => {
      expect(await refusal(assignment(inner)))
        .to.match(/^Cannot start "vm1": /)
        .and.match(message);
    });
  }

  it('refuses a clone, whose metadata names another domain', async () => {
    const metadata = assignment('<h:address ip="123.45.90.116"/>', OWNER);
    expect(await refusal(metadata)).to.match(
      new RegExp(`${OWNER}, so this one is a clone; run hnet unassign`),
    );
  });

  it("refuses a bridge of that name that isn't ours, and leaves it alone", async () => {
    await stage.hv.sh('ip link add br116 type bridge; ip addr add 10.9.8.1/24 dev br116');
    const was = await stage.hv.run(['ip', '-d', 'addr', 'show', 'br116']);
    const said = await refusal(assignment('<h:address ip="123.45.90.116"/>'));
    expect(said).to.match(/bridge br116: an interface of that name exists and isn't hnet's/);
    expect(await stage.hv.run(['ip', '-d', 'addr', 'show', 'br116'])).to.equal(was);
    await stage.hv.run(['ip', 'link', 'del', 'br116']);
  });

  it('refuses a scope that the host routes elsewhere', async () => {
    await stage.hv.sh('ip link add docker0 type bridge; ip link set docker0 up');
    await stage.hv.sh('ip addr add 172.30.0.1/16 dev docker0');
    const said = await refusal(assignment('<h:address ip="123.45.90.116"/>'));
    expect(said).to.match(
      /scope 172\.30\.116\.0\/24 collides with the host's route 172\.30\.0\.0\/16 to docker0/,
    );
    await stage.hv.run(['ip', 'link', 'del', 'docker0']);
  });

  it('refuses to start without dnsmasq, and leaves nothing', async () => {
    await stage.hv.sh('mv /usr/sbin/dnsmasq /usr/sbin/dnsmasq.away');
    const said = await refusal(assignment('<h:address ip="123.45.90.116"/>'));
    await stage.hv.sh('mv /usr/sbin/dnsmasq.away /usr/sbin/dnsmasq');
    expect(said).to.match(/dnsmasq.*not installed/);
  });

  it('refuses to start with a broken configuration: file, line and key', async () => {
    await stage.hv.sh("cp /etc/hnet/hnet.toml /root/kept; echo 'nonsense = 1' >>/etc/hnet/hnet.toml");
    const said = await refusal(assignment('<h:address ip="123.45.90.116"/>'));
    await stage.hv.sh('mv /root/kept /etc/hnet/hnet.toml');
    expect(said).to.match(/hnet\.toml, line \d+, key "(\w+\.)?nonsense": .*unknown key/);
  });

  it('refuses to start when the disk with the attachments is full', async () => {
    await stage.hv.sh('mount -t tmpfs -o size=4k tmpfs /run/hnet/attachments');
    await stage.hv.attempt(['sh', '-c', 'head -c 8192 /dev/zero >/run/hnet/attachments/full']);
    const said = await refusal(assignment('<h:address ip="123.45.90.116"/>'));
    await stage.hv.run(['umount', '/run/hnet/attachments']);
    expect(said).to.match(/Cannot write .*ENOSPC/);
    expect(await stage.hv.run(['ls', '/run/hnet/claims'])).to.equal('');
  });

  it('says in one line that its interpreter is gone', async () => {
    await stage.hv.sh('mv /usr/bin/node /usr/bin/node.away');
    const said = await refusal(assignment('<h:address ip="123.45.90.116"/>'));
    await stage.hv.sh('mv /usr/bin/node.away /usr/bin/node');
    expect(said).to.match(/\/usr\/bin\/node doesn't run; install hnet again/);
  });

  it('lets domains that are not ours start without node, and prints nothing', async () => {
    await stage.hv.sh('mv /usr/bin/node /usr/bin/node.away; ip link add virbr0 type bridge');
    const vm = await stage.hv.vm({ name: 'other', boots: false });
    await vm.start();
    await vm.destroy();
    await stage.hv.sh('mv /usr/bin/node.away /usr/bin/node; ip link del virbr0');
    await stage.hv.virsh('undefine', 'other');
  });

  it('prints nothing on standard output, whatever the operation', async () => {
    const vm = await stage.hv.vm({
      name: 'quiet',
      boots: false,
      nic: { type: 'bridge', source: 'br116' },
      metadata: assignment('<h:address ip="123.45.90.116"/>'),
    });
    await stage.hv.sh('virsh dumpxml quiet >/root/quiet.xml');
    for (const operation of [
      'prepare',
      'start',
      'started',
      'reconnect',
      'restore',
      'migrate',
      'stopped',
      'release',
    ]) {
      const call = `/etc/libvirt/hooks/qemu.d/hnet quiet ${operation} begin - </root/quiet.xml`;
      const { code, stdout, stderr } = await stage.hv.attempt(['sh', '-c', call]);
      expect({ operation, code, stdout, stderr }).to.deep.equal({
        operation,
        code: 0,
        stdout: '',
        stderr: '',
      });
    }
    await stage.hv.virsh('undefine', vm.name);
  });
});
