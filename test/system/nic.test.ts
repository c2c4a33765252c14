import { expect } from 'chai';
import fc from 'fast-check';
import { expectSuccess } from '../lab/run.ts';
import { Stage } from './stage.ts';

const MAC = '52:54:00:aa:00:01';
const OTHER = '52:54:00:aa:00:02';

/** Sources of the kinds of interface that QEMU has; `udp` stands for those that are sockets alone. */
const KINDS: Readonly<Record<string, string>> = {
  network: "<source network='default'/>",
  bridge: "<source bridge='virbr0'/>",
  user: '',
  direct: "<source dev='eth0' mode='bridge'/>",
  ethernet: "<target dev='tap7' managed='no'/>",
  vdpa: "<source dev='/dev/vhost-vdpa-0'/>",
  vhostuser: "<source type='unix' path='/run/vhost.sock' mode='client'/>",
  udp: "<source address='127.0.0.1' port='5558'><local address='127.0.0.1' port='5559'/></source>",
  hostdev: "<source><address type='pci' domain='0' bus='0' slot='7' function='0'/></source>",
};
/** What an interface may have besides: whether it stays, and how that shows. */
const MORE: Readonly<Record<string, readonly [xml: string, is: 'kept' | 'lost', shows?: string]>> = {
  vlan: ["<vlan trunk='yes'><tag id='42'/><tag id='43' nativeMode='untagged'/></vlan>", 'lost'],
  virtualport: ["<virtualport type='openvswitch'/>", 'lost'],
  virtualport802: [
    "<virtualport type='802.1Qbh'><parameters profileid='x'/></virtualport>",
    'lost',
    '<virtualport>',
  ],
  script: ["<script path='/etc/qemu-ifup'/>", 'lost'],
  downscript: ["<downscript path='/etc/qemu-ifdown'/>", 'lost'],
  vfio: ["<driver name='vfio'/>", 'lost', '<driver>'],
  driver: [
    "<driver name='qemu' queues='2' rx_queue_size='512'><host gso='off'/></driver>",
    'kept',
    "gso='off'",
  ],
  backend: ["<backend tap='/dev/net/tun' vhost='/dev/vhost-net'/>", 'kept'],
  passt: ["<backend type='passt' logFile='/tmp/passt'/>", 'lost', '<backend>'],
  portForward: ["<portForward proto='tcp'><range start='2022' to='22'/></portForward>", 'lost'],
  floor: [
    "<bandwidth><inbound average='1000' floor='200'/><outbound average='128'/></bandwidth>",
    'lost',
    'floor="200" of <inbound>',
  ],
  transient: ["<teaming type='transient' persistent='ua-other'/>", 'lost', '<teaming>'],
  persistent: ["<teaming type='persistent'/><alias name='ua-mine'/>", 'kept', 'ua-mine'],
  ip: ["<ip address='192.0.2.7' family='ipv4' prefix='24'/>", 'lost'],
  guest: ["<guest dev='eth7'/>", 'lost'],
  port: ["<port isolated='yes'/>", 'kept'],
  tune: ['<tune><sndbuf>1600</sndbuf></tune>', 'kept'],
  coalesce: ["<coalesce><rx><frames max='7'/></rx></coalesce>", 'kept'],
  mtu: ["<mtu size='1400'/>", 'kept'],
  link: ["<link state='up'/>", 'kept'],
  rom: ["<rom bar='off'/>", 'kept'],
};
const WHATEVER = Object.keys(MORE);
const SEED = Number(process.env['HNET_SEED'] ?? 7);
const ORDERS = Number(process.env['HNET_NICS'] ?? 1);

const nicOf = (kind: string, more: readonly string[]): string =>
  `<interface type='${kind}' trustGuestRxFilters='yes'><mac address='${MAC}'/>${KINDS[kind]}<model type='virtio'/>${more
    .map(one => MORE[one]?.[0])
    .join('')}</interface>`;

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
      expect(code, why).to.equal(3);
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
      expect({ code, stdout }).to.include({ code: 3 });
      expect(stdout).to.include(`${tap} is gone from the host; stop and start the VM, which makes it anew`);
      await stage.hv.virsh('destroy', 'vm1');
      await stage.hv.virsh('start', 'vm1');
      expect(await stage.ok('check')).to.equal('Everything is as it should be');
    });

  if (way === 'libvirt.so')
    for (const kind of Object.keys(KINDS)) {
      const orders = fc.sample(fc.shuffledSubarray(WHATEVER, { minLength: WHATEVER.length }), {
        numRuns: ORDERS,
        seed: SEED + Object.keys(KINDS).indexOf(kind),
      });
      it(`of kind ${kind} starts on the bridge, whatever it brought along, or is refused`, async () => {
        await stage.hv.sh('[ -e /sys/class/net/virbr0 ] || ip link add virbr0 type bridge');
        for (const order of orders) await starts(kind, await mostOf(kind, order));
      });
    }

  /** As much of it as libvirt takes together, in this order; with nothing more it takes each kind. */
  async function mostOf(kind: string, order: readonly string[]): Promise<string[]> {
    expect(await isDefined(nicOf(kind, [])), kind).to.equal(true);
    const more: string[] = [];
    for (const one of order) if (await isDefined(nicOf(kind, [...more, one]))) more.push(one);
    expect(await isDefined(nicOf(kind, more))).to.equal(true);
    return more;
  }

  async function isDefined(nic: string): Promise<boolean> {
    const xml = `<domain type='qemu'><name>vm1</name><memory>131072</memory><os><type arch='x86_64' machine='pc'>hvm</type></os>
      <features><acpi/></features><devices><memballoon model='none'/>${nic}</devices></domain>`;
    await stage.hv.write('/root/vm1.xml', xml);
    const done = await stage.hv.sh(
      'virsh undefine vm1 >/dev/null 2>&1 || true; virsh define --validate /root/vm1.xml >/dev/null 2>&1 && echo yes || echo no',
    );
    return done.trim() === 'yes';
  }

  async function starts(kind: string, more: readonly string[]): Promise<void> {
    const what = `${kind} with ${more.join(', ')}`;
    const answer = await stage.hnet('assign', 'vm1', '123.45.90.116');
    if (kind === 'hostdev') {
      expect(answer.code, what).to.equal(1);
      expect(answer.stderr).to.match(/^hnet: Cannot put the interface \S+ on br116: it is a device [^\n]*$/);
      expect(await stage.xml('vm1')).not.to.include('urn:hnet');
      return;
    }
    expectSuccess(['hnet', 'assign', what], answer);
    const after = await stage.xml('vm1', '--inactive');
    // The machine's kernel may be without the scheduler that libvirt needs for it (sch_sfq).
    await stage.hv.write('/root/vm1.xml', after.replace(/<bandwidth>[\s\S]*<\/bandwidth>/, ''));
    await stage.hv.virsh('define', '/root/vm1.xml');
    expectSuccess(['virsh', 'start', what, after], await stage.hv.attempt(['virsh', 'start', 'vm1']));
    expect(await stage.ok('status', 'vm1'), what).to.match(/br116 .*ok$/m);
    // What it can't have is told; all else it has kept.
    const nic = after.match(/<interface[\s\S]*?<\/interface>/)?.[0] ?? '';
    for (const one of more) {
      const [, is, at] = MORE[one] ?? [];
      if (is === 'lost') expect(answer.stderr, what).to.include(at ?? `<${one}>`);
      else expect(nic, what).to.include(at ?? `<${one}`);
    }
    if (more.every(one => MORE[one]?.[1] === 'kept')) expect(answer.stderr, what).to.equal('');
    await stage.hv.virsh('destroy', 'vm1');
  }

  it('that libvirt can not move while the domain runs is moved when it is off, and it says so', async () => {
    await define(nicOf('user', []));
    await stage.hv.virsh('start', 'vm1');
    const { code, stderr } = await stage.hnet('assign', 'vm1', '123.45.90.116');
    expect({ code, stderr }).to.deep.include({ code: 1 });
    expect(stderr).to.match(
      /^hnet: Cannot (?:change the network interface|update-device): [^\n]*; shut the domain down first, then assign$/m,
    );
    expect(await stage.xml('vm1')).not.to.include('urn:hnet');
    expect((await stage.hv.attempt(['ip', 'link', 'show', 'br116'])).code).not.to.equal(0);
    await stage.hv.virsh('destroy', 'vm1');
    await stage.ok('assign', 'vm1', '123.45.90.116');
    await stage.hv.virsh('start', 'vm1');
    expect(await stage.ok('status', 'vm1')).to.match(/br116 .*ok$/m);
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
