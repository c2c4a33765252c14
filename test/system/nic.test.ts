import { expect } from 'chai';
import { expectSuccess } from '../lab/run.ts';
import { Stage } from './stage.ts';

const MAC = '52:54:00:aa:00:01';
const OTHER = '52:54:00:aa:00:02';

/** Which interface goes onto the bridge, and what of it stays; by libvirt's library and by virsh alike. */
describe("a domain's network interface, changed", () => {
  const stage = new Stage();
  for (const way of ['libvirt.so', 'virsh'] as const) describe(`through ${way}`, () => tests(stage, way));
});

function tests(stage: Stage, way: 'libvirt.so' | 'virsh'): void {
  before(async () => {
    if (way === 'virsh') await stage.hv.run(['rm', '-r', '/usr/lib/hnet/node_modules']);
  });

  afterEach(() => stage.clean());

  /** Defines vm1 with these interfaces, as XML. */
  async function define(...interfaces: string[]): Promise<void> {
    await stage.hv.vm({ name: 'vm1', nics: [], boots: false });
    const xml = await stage.xml('vm1');
    await stage.hv.write(
      '/root/vm1.xml',
      xml.replace("<boot dev='hd'/>", '').replace('</devices>', `${interfaces.join('')}</devices>`),
    );
    await stage.hv.virsh('define', '/root/vm1.xml');
  }

  const interfaces = async (...flags: string[]) =>
    (await stage.xml('vm1', ...flags)).match(/<interface[\s\S]*?<\/interface>/g) ?? [];

  const plain = (mac: string, source = 'default') =>
    `<interface type='network'><mac address='${mac}'/><source network='${source}'/><model type='virtio'/></interface>`;

  it('moves the only one, which keeps its MAC, model, place, boot order and filter', async () => {
    await define(`<interface type='network'><mac address='${MAC}'/>
        <source network='default' portgroup='x'/><model type='e1000'/><boot order='2'/>
        <filterref filter='clean-traffic'><parameter name='CTRL_IP_LEARNING' value='none'/></filterref>
        <bandwidth><inbound average='1000'/></bandwidth><mtu size='1400'/>
        <address type='pci' domain='0x0000' bus='0x00' slot='0x0a' function='0x0'/></interface>`);
    await stage.ok('assign', 'vm1', '123.45.90.116');
    const [nic = '', ...more] = await interfaces();
    expect(more).to.deep.equal([]);
    for (const part of [
      "<interface type='bridge'>",
      `<mac address='${MAC}'/>`,
      "<source bridge='br116'/>",
      "<model type='e1000'/>",
      "<boot order='2'/>",
      "<filterref filter='clean-traffic'>",
      "<parameter name='CTRL_IP_LEARNING' value='none'/>",
      "<inbound average='1000'/>",
      "<mtu size='1400'/>",
      "slot='0x0a'",
    ])
      expect(nic).to.include(part);
    expect(nic).not.to.include('network=');
  });

  it('asks which of several, and takes the one it is told', async () => {
    await define(plain(MAC), plain(OTHER));
    const { code, stderr } = await stage.hnet('assign', 'vm1', '123.45.90.116');
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr: `hnet: Cannot choose among 2 network interfaces (${MAC}, ${OTHER}): say which with --nic MAC, or --no-nic`,
    });
    expect(await stage.xml('vm1')).not.to.include('urn:hnet');
    await stage.ok('assign', 'vm1', '123.45.90.116', '--nic', OTHER.toUpperCase());
    const [first = '', second = ''] = await interfaces();
    expect(first).to.include("network='default'").and.include(MAC);
    expect(second).to.include("bridge='br116'").and.include(OTHER);
  });

  it('refuses a MAC that no interface has, and changes nothing', async () => {
    await define(plain(MAC));
    const { code, stderr } = await stage.hnet('assign', 'vm1', '--nic', OTHER);
    expect(code).to.equal(1);
    expect(stderr).to.include(`Cannot use --nic "${OTHER}": the domain's interfaces are ${MAC}`);
    expect(await stage.xml('vm1')).not.to.include('urn:hnet');
  });

  it('needs no choice where one of several is on the bridge already', async () => {
    await define(plain(MAC));
    await stage.ok('assign', 'vm1', '123.45.90.116');
    await stage.hv.write('/root/nic.xml', plain(OTHER));
    await stage.hv.virsh('attach-device', 'vm1', '/root/nic.xml', '--config');
    await stage.ok('assign', 'vm1', '123.45.90.117');
    expect((await interfaces()).map(nic => /source (\S+)\/>/.exec(nic)?.[1])).to.deep.equal([
      "bridge='br116'",
      "network='default'",
    ]);
  });

  it('adds a virtio interface where there is none', async () => {
    await define();
    await stage.ok('assign', 'vm1', '123.45.90.116');
    const [nic = '', ...more] = await interfaces();
    expect(more).to.deep.equal([]);
    expect(nic).to.include("<source bridge='br116'/>").and.include("<model type='virtio'/>");
  });

  it('leaves all of them alone with --no-nic', async () => {
    await define(plain(MAC));
    await stage.ok('assign', 'vm1', '123.45.90.116', '--no-nic');
    expect(await interfaces()).to.satisfy(([nic]: string[]) => nic?.includes("network='default'"));
    expect(await stage.xml('vm1')).to.include('urn:hnet:1');
  });

  it('moves it at once while the domain runs, and for its next start', async () => {
    await stage.hv.sh('ip link add virbr0 type bridge; ip link set virbr0 up');
    await define(`<interface type='bridge'><mac address='${MAC}'/><source bridge='virbr0'/></interface>`);
    await stage.hv.virsh('start', 'vm1');
    await stage.ok('assign', 'vm1', '123.45.90.116');
    for (const flags of [[], ['--inactive']]) {
      const [nic = ''] = await interfaces(...flags);
      expect(nic).to.include("bridge='br116'").and.include(MAC);
    }
    expect(await stage.hv.run(['ip', '-br', 'link', 'show', 'master', 'br116'])).to.match(/^vnet\d+ /);
    expect(await stage.ok('status', 'vm1')).to.match(/br116 .*ok$/m);
  });

  if (way === 'libvirt.so')
    it('is missed where it is put elsewhere, now or at the next start, and is put back', missed);

  async function missed(): Promise<void> {
    await stage.hv.sh('ip link add virbr0 type bridge; ip link set virbr0 up');
    const old = `<interface type='bridge'><mac address='${MAC}'/><source bridge='virbr0'/></interface>`;
    await define(old);
    const former = await stage.xml('vm1', '--inactive');
    await stage.ok('assign', 'vm1', '123.45.90.116');
    await stage.ok('firewall', 'vm1', 'deny', 'tcp/25');
    await stage.hv.virsh('start', 'vm1');
    const assigned = await stage.xml('vm1', '--inactive');
    expect(await stage.ok('check')).to.equal('Everything is as it should be');
    const nic = `<interface type='bridge'><mac address='${MAC}'/><source bridge='virbr0'/><model type='virtio'/></interface>`;
    const changes = {
      'none of its interfaces is on br116': async () => {
        await stage.hv.write('/root/nic.xml', (await interfaces())[0]?.replace('br116', 'virbr0') ?? nic);
        await stage.hv.virsh('update-device', 'vm1', '/root/nic.xml', '--live');
      },
      'in its definition no interface is on br116': async () => {
        await stage.hv.write('/root/vm1.xml', assigned.replace("bridge='br116'/>", "bridge='virbr0'/>"));
        await stage.hv.virsh('define', '/root/vm1.xml');
      },
      "its definition doesn't assign 123.45.90.116 to it": async () => {
        await stage.hv.write('/root/vm1.xml', former);
        await stage.hv.virsh('define', '/root/vm1.xml');
      },
    };
    for (const [why, harm] of Object.entries(changes)) {
      await harm();
      const { code, stdout } = await stage.hnet('check', 'vm1');
      expect(code, why).to.equal(1);
      expect(stdout).to.include(`${why}; hnet assign puts it back`);
      expect(await stage.ok('status', 'vm1')).to.include(why);
      expect(await stage.ok('assign', 'vm1')).to.include('123.45.90.116 on br116');
      expect(await stage.ok('check')).to.equal('Everything is as it should be');
    }
    // With all that it had.
    expect(await stage.ok('firewall', 'vm1')).to.include('tcp/25');
    for (const flags of [[], ['--inactive']]) {
      const found = await interfaces(...flags);
      expect(found).to.have.length(1);
      expect(found[0]).to.include("bridge='br116'").and.include(MAC);
    }
    await stage.hv.virsh('destroy', 'vm1');
    await stage.hv.virsh('start', 'vm1');
    expect(await stage.ok('check')).to.equal('Everything is as it should be');
  }

  if (way === 'libvirt.so')
    it('is named in status where libvirt has switched it off, and a fault where the host has lost it', async () => {
      await define(`<interface type='bridge'><mac address='${MAC}'/><source bridge='br116'/></interface>`);
      await stage.ok('assign', 'vm1', '123.45.90.116');
      await stage.hv.virsh('start', 'vm1');
      const [tap = ''] = /vnet\d+/.exec((await interfaces())[0] ?? '') ?? [];
      await stage.hv.virsh('domif-setlink', 'vm1', tap, 'down');
      expect(await stage.ok('check')).to.equal('Everything is as it should be');
      const command = `virsh domif-setlink 'vm1' ${tap} up`;
      expect(await stage.ok('status', 'vm1')).to.include(`libvirt has switched ${tap} off; ${command}`);
      // Later versions of libvirt set it down themselves.
      await stage.hv.run(['ip', 'link', 'set', tap, 'down']);
      expect(await stage.ok('sync')).to.equal('');
      expect(await stage.hv.run(['ip', '-br', 'link', 'show', tap])).to.match(/ DOWN /);
      await stage.hv.sh(command);
      await stage.ok('sync');
      expect(await stage.ok('status', 'vm1')).to.match(/ ok$/m);
      expect(await stage.hv.run(['ip', '-br', 'link', 'show', tap])).to.match(/<.*,UP,LOWER_UP>/);
      await stage.hv.run(['ip', 'link', 'del', tap]);
      const { code, stdout } = await stage.hnet('check', 'vm1');
      expect({ code, stdout }).to.include({ code: 1 });
      expect(stdout).to.include(`${tap} is gone from the host; stop and start the VM, which makes it anew`);
      await stage.hv.virsh('destroy', 'vm1');
      await stage.hv.virsh('start', 'vm1');
      expect(await stage.ok('check')).to.equal('Everything is as it should be');
    });

  it('moves that of a transient domain', async () => {
    await stage.hv.sh('ip link add virbr0 type bridge; ip link set virbr0 up');
    await define(`<interface type='bridge'><mac address='${MAC}'/><source bridge='virbr0'/></interface>`);
    await stage.hv.sh('virsh dumpxml vm1 >/root/vm1.xml; virsh undefine vm1; virsh create /root/vm1.xml');
    const answer = await stage.hnet('assign', 'vm1', '123.45.90.116');
    expectSuccess(['hnet', 'assign'], answer);
    expect(answer.stderr).to.equal('');
    expect((await interfaces())[0]).to.include("bridge='br116'");
    await stage.hv.virsh('destroy', 'vm1');
  });

  it('gives an address a bridge of its own for the interface that is named, and finds it again', async () => {
    await define(plain(MAC), plain(OTHER));
    await stage.ok('assign', 'vm1', '123.45.90.116', '--nic', MAC);
    await stage.ok('assign', 'vm1', '123.45.90.117', '--nic', OTHER);
    const sources = async () => (await interfaces()).map(nic => /source (\S+)\/>/.exec(nic)?.[1]);
    expect(await sources()).to.deep.equal(["bridge='br116'", "bridge='br117'"]);
    expect(await stage.ok('assign', 'vm1', '123.45.90.118', '--nic', OTHER)).to.include(
      'vm1: 123.45.90.118 on br117, bootstrap scope 172.30.117.0/24',
    );
    expect(await sources()).to.deep.equal(["bridge='br116'", "bridge='br117'"]);
    await stage.hv.virsh('start', 'vm1');
    expect(await stage.hv.run(['ip', 'route', 'show', '123.45.90.118'])).to.include('dev br117');
    await stage.ok('unassign', 'vm1', '123.45.90.117', '123.45.90.118');
    expect((await stage.hv.attempt(['ip', 'link', 'show', 'br117'])).code).not.to.equal(0);
    expect(await stage.hv.run(['ip', 'route', 'show', '123.45.90.116'])).to.include('dev br116');
  });
}
