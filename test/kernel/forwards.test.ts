import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import type { Machine } from '../lab/machine.ts';
import { hnet } from '../support/command.ts';
import { domainXml, uuidOf } from '../support/domain.ts';
import { exchange, Listener, udpFlow } from '../support/endpoint.ts';
import { SIX } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { POOLS6 } from '../support/scene.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { type Place, Socket } from '../support/syscalls.ts';

const [INNER, INNER_BRIDGE] = ['172.30.5.10', 'br5-10'];
const PRIVATE = `<h:address ip="${INNER}" bridge="${INNER_BRIDGE}" scope="172.30.5.0/24"/>`;
const PUBLIC = `<h:address ip="123.45.90.116"/><h:address ip="${SIX.mine}" bridge="br116" scope="172.30.116.0/24"/>`;
const HOST = '123.45.12.48';

const assigned = (name: string, inner: string): string =>
  `<h:assignment xmlns:h="urn:hnet:1" domain="${uuidOf(name)}">${inner}</h:assignment>`;
const forwards = (...all: readonly string[]): string =>
  all.map(one => `<h:forward>${one}</h:forward>`).join('');

filterSuite('ports of the host that lead to domains', ({ host, backend }) => {
  let one: Filtered;
  let based: string;
  let inner: Guest;
  let open: Guest;
  let container: Guest;

  const xml = (name: string, metadata: string): string =>
    domainXml(name, { metadata: assigned(name, metadata) });
  const CALLED = forwards('tcp/2201:22', 'tcp/3000-3002:4000', 'tcp/3100-3101', `udp/53:5353 on ${HOST}`);

  async function prepare(name: string, metadata: string): Promise<void> {
    const { code, stderr } = await one.scene.hook('prepare', name, xml(name, metadata));
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
  }

  before(async () => {
    one = await host({ pools: POOLS6 });
    await one.host.sh(`ip link add docker0 type bridge; ip link set docker0 up; ip address add 172.17.0.1/16 dev docker0
      iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE`);
    container = await one.host.guest({ name: 'container', bridge: 'docker0' });
    await container.sh('ip address add 172.17.0.2/16 dev eth0; ip route add default via 172.17.0.1');
    await one.sync();
    based = await snapshot(one.host);
    await prepare('inner', PRIVATE + CALLED);
    inner = await one.host.guest({ name: 'inner', bridge: INNER_BRIDGE });
    await inner.sh(`ip address add ${INNER}/24 dev eth0; ip route add default via 172.30.5.1`);
    await prepare('open', PUBLIC + forwards('tcp/2202:22', `tcp/2206:22 on ${SIX.host}`));
    open = await one.host.guest({ name: 'open', bridge: 'br116' });
    await open.static('123.45.90.116', HOST);
    await open.static(SIX.mine, 'fe80::1');
  });

  async function reaches(client: Machine, server: Machine, place: Place, called: Place): Promise<void> {
    const listener = new Listener(server, place);
    await exchange(await listener.connect(client, undefined, called));
    listener.close();
  }

  const everybody = (): Machine[] => [one.lab.internet, open, container, one.host];

  it('reach a domain with a private address from everywhere, each port at its place', async () => {
    for (const client of everybody())
      await reaches(client, inner, { ip: INNER, port: 22 }, { ip: HOST, port: 2201 });
    for (const [called, port] of [
      [3000, 4000],
      [3002, 4002],
      [3101, 3101],
    ] as const)
      await reaches(one.lab.internet, inner, { ip: INNER, port }, { ip: HOST, port: called });
    await exchange(
      udpFlow(
        one.lab.internet,
        { ip: '123.45.200.10', port: 5000 },
        inner,
        { ip: INNER, port: 5353 },
        undefined,
        { ip: HOST, port: 53 },
      ),
    );
  });

  it("which reaches the Internet by the host's address", async () => {
    await reaches(
      inner,
      one.lab.internet,
      { ip: '123.45.200.10', port: 80 },
      { ip: '123.45.200.10', port: 80 },
    );
  });

  it('reach a domain with public addresses, in both families, and its other flows stay untracked', async () => {
    await one.host.run(['conntrack', '-F']);
    for (const client of [one.lab.internet, inner, container, one.host])
      await reaches(client, open, { ip: '123.45.90.116', port: 22 }, { ip: HOST, port: 2202 });
    await reaches(one.lab.internet, open, { ip: SIX.mine, port: 22 }, { ip: SIX.host, port: 2206 });
    await reaches(
      one.lab.internet,
      open,
      { ip: '123.45.90.116', port: 80 },
      { ip: '123.45.90.116', port: 80 },
    );
    expect(await one.host.run(['conntrack', '-L', '-p', 'tcp', '--dport', '80'])).to.equal('');
  });

  it('leave alone what the host calls on loopback', async () => {
    await reaches(one.host, one.host, { ip: '127.0.0.1', port: 2201 }, { ip: '127.0.0.1', port: 2201 });
  });

  it("are repaired by sync, and obey the domain's rules", async () => {
    await one.host.sh(
      backend === 'nftables'
        ? 'for c in $(nft list chains | grep -o "hnet-fwd-[io]-[0-9a-f]*"); do nft flush chain ip hnet $c 2>/dev/null || true; done'
        : 'iptables -t nat -F hnet-forwards',
    );
    expect(await one.sync()).to.contain('port forwards');
    expect(await one.sync()).to.equal('');
    await reaches(one.lab.internet, inner, { ip: INNER, port: 22 }, { ip: HOST, port: 2201 });
    const words = { default: 'deny', rules: ['allow tcp/22 from 123.45.200.10'] } as const;
    // So the test knows which chains count.
    one.xml('inner', INNER, words);
    const rules = words.rules.map(text => `<h:rule>${text}</h:rule>`).join('');
    const policy = `<h:policy inbound="deny">${rules}</h:policy>`;
    await one.inside({ do: 'change', xml: xml('inner', PRIVATE + CALLED + policy) });
    await reaches(one.lab.internet, inner, { ip: INNER, port: 22 }, { ip: HOST, port: 2201 });
    const socket = Socket.inet(open, 'tcp');
    await one.dropped('policy', () => void socket.connect({ ip: HOST, port: 2201 }));
    socket.close();
    await one.inside({ do: 'change', xml: xml('inner', PRIVATE + CALLED) });
  });

  it('are gone with their connections when they are taken away, and others stay', async () => {
    const listener = new Listener(inner, { ip: INNER, port: 22 });
    const kept = new Listener(inner, { ip: INNER, port: 4000 });
    const [flow, other] = [
      await listener.connect(one.lab.internet, undefined, { ip: HOST, port: 2201 }),
      await kept.connect(one.lab.internet, undefined, { ip: HOST, port: 3000 }),
    ];
    await exchange(flow);
    await one.inside({ do: 'change', xml: xml('inner', PRIVATE + forwards('tcp/3000-3002:4000')) });
    await exchange(other);
    const flows = await one.host.run(['conntrack', '-L', '-p', 'tcp', '--reply-src', INNER]);
    expect(flows).to.contain('dport=3000').and.not.to.contain('dport=2201');
    listener.close();
    kept.close();
    await one.inside({ do: 'change', xml: xml('inner', PRIVATE + CALLED) });
  });

  it('are refused to a second domain, also where they overlap in part', async () => {
    for (const [text, held] of [
      ['tcp/2201', 'port tcp/2201'],
      ['tcp/2999-3001', 'port tcp/3000-3002'],
      ['udp/53', `port udp/53 on ${HOST}`],
    ] as const) {
      const metadata = `<h:address ip="123.45.90.117"/>${forwards(text)}`;
      const { code, stderr } = await one.scene.hook('prepare', 'late', xml('late', metadata));
      expect(code).to.equal(1);
      expect(stderr).to.contain(held).and.to.contain('"inner"');
    }
    const elsewhere = `<h:address ip="123.45.90.117"/>${forwards('udp/53 on 198.51.100.99')}`;
    await prepare('late', elsewhere);
    await one.scene.release('late', { metadata: assigned('late', elsewhere) });
  });

  it('are served, by the word of check, and nothing of them is left at the end', async () => {
    const libvirt = await FakeLibvirt.create(one.scene);
    await libvirt.run('inner', { metadata: assigned('inner', PRIVATE + CALLED) });
    await libvirt.run('open', {
      metadata: assigned('open', PUBLIC + forwards('tcp/2202:22', `tcp/2206:22 on ${SIX.host}`)),
    });
    const { code, stdout } = await hnet(one.scene, 'check');
    expect(stdout.trim()).to.equal('Everything is as it should be');
    expect(code).to.equal(0);
    for (const guest of [inner, open]) await guest.unplug();
    await one.scene.release('inner', { metadata: assigned('inner', PRIVATE + CALLED) });
    await one.scene.release('open', { metadata: assigned('open', PUBLIC) });
    await expectUnchanged(one.host, based);
  });
});
