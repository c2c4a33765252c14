import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { udpFlow } from '../support/endpoint.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Filtered, inScope } from '../support/filtered.ts';
import { BROADCAST_MAC, ethernet, icmp, ipv4, udp } from '../support/packets.ts';
import { discovery, routerAdvertisement } from '../support/packets6.ts';
import type { Wire } from '../support/wire.ts';

const [MINE, NEIGHBOUR, PAIR] = ['123.45.90.116', '123.45.90.117', '123.45.90.118'];
const [ROUTED, ROUTER, OTHER_ROUTER] = ['10.50.0.1', inScope(MINE, 50), inScope(MINE, 60)];

/** A router that lives on our bridge, with a prefix to make addresses from. */
const ADVERTISEMENT = discovery('fe80::7', 'ff02::1', routerAdvertisement('2001:db8::'));

/** "For that host take another gateway" (RFC 792), about a packet that the host may have sent. */
function redirect(): Buffer {
  // Of all packets it is its own answers to a ping of which the kernel believes that without a socket.
  const about = ipv4(inScope(MINE, 1), ROUTED, 'icmp', icmp(0, 0, [0, 0, 0, 0], ''));
  return ipv4(ROUTER, inScope(MINE, 1), 'icmp', icmp(5, 1, OTHER_ROUTER.split('.').map(Number), about));
}

/** A DHCP offer, as a server of its own would broadcast it. */
function offer(): Buffer {
  const body = Buffer.alloc(244);
  body.set([2, 1, 6, 0]);
  body.set([172, 30, 116, 66], 16);
  body.set([0x63, 0x82, 0x53, 0x63, 53, 1, 2, 255], 236);
  return ipv4(MINE, '255.255.255.255', 'udp', udp(67, 68, body));
}

filterSuite('nothing that a guest sends', ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let attacker: Wire;

  before(async () => {
    one = await host();
    guest = await one.start('vm1', MINE);
    attacker = await one.guestWire(guest, MINE);
    for (const router of [ROUTER, OTHER_ROUTER])
      await guest.run(['ip', 'address', 'add', `${router}/24`, 'dev', 'eth0']);
    await one.host.run(['ip', 'route', 'add', '10.50.0.0/16', 'via', ROUTER]);
  });

  /** Everything that such packets try to change. */
  const state = () =>
    one.host.sh(`ip route show table all; ip -6 route show table all; ip address
      ip route get ${ROUTED}; ip route get ${INTERNET}
      for device in all eth0 br116; do grep -r . /proc/sys/net/ipv*/conf/$device 2>/dev/null || true; done`);

  /** Waits until the host has dealt with what was sent before. */
  const settled = () => until(() => guest.ping(one.host.address), PATIENCE, 'an answer of the host');

  it('as a router advertisement changes anything on the host', async () => {
    const before = await state();
    const frame = ethernet('33:33:00:00:00:01', guest.mac, ADVERTISEMENT);
    attacker.sendFrame(frame);
    await settled();
    expect(await state()).to.equal(before);
    // It is a valid one: a bridge that listened would believe it.
    await one.host.sh('cd /proc/sys/net/ipv6/conf/br116; echo 0 >disable_ipv6; echo 2 >accept_ra');
    attacker.sendFrame(frame);
    const believed = async () => (await one.host.run(['ip', '-6', 'route'])).includes('proto ra');
    await until(believed, PATIENCE, 'the route of a router advertisement');
    await one.host.sh('cd /proc/sys/net/ipv6/conf/br116; echo 0 >accept_ra; echo 1 >disable_ipv6');
    expect(await state()).to.equal(before);
  });

  it('as an ICMP redirect changes a route of the host', async () => {
    const before = await state();
    attacker.send(redirect());
    await settled();
    expect(await state()).to.equal(before);
    const accept = (value: number) =>
      one.host.sh(
        `cd /proc/sys/net/ipv4/conf; echo ${value} >br116/accept_redirects; echo ${value} >all/accept_redirects`,
      );
    await accept(1);
    const believed = async () => {
      attacker.send(redirect());
      return (await one.host.run(['ip', 'route', 'get', ROUTED])).includes(`via ${OTHER_ROUTER}`);
    };
    await until(believed, PATIENCE, 'a route by an ICMP redirect');
    await accept(0);
    await one.host.run(['ip', 'route', 'flush', 'cache']);
  });

  it('as a DHCP server of its own leads a neighbour astray, or the host', async () => {
    await one.prepare('vm2', NEIGHBOUR);
    const neighbour = await one.host.guest({ name: 'vm2', bridge: 'br117' });
    const wire = await one.guestWire(neighbour, NEIGHBOUR);
    const before = await state();
    const frame = ethernet(BROADCAST_MAC, guest.mac, offer());
    for (let n = 0; n < 10; n++) attacker.sendFrame(frame);
    const lease = await neighbour.dhcp();
    for (let n = 0; n < 10; n++) attacker.sendFrame(frame);
    await settled();
    expect(lease).to.include({ serverid: inScope(NEIGHBOUR, 1), router: inScope(NEIGHBOUR, 1) });
    expect(wire.count(Buffer.from([172, 30, 116, 66]))).to.equal(0);
    expect(await state()).to.equal(before);
  });
});

filterSuite('ICMP redirects', ({ host }) => {
  it('of the host reach no guest, although conf.all has them on', async () => {
    const one = await host();
    expect(await one.host.read('/proc/sys/net/ipv4/conf/all/send_redirects')).to.equal('1');
    const shared = { bridge: 'br118', scope: '172.30.118.0/24' };
    await one.scene.prepare('vm1', [PAIR, { ip: '123.45.53.11', ...shared }]);
    const guest = await one.host.guest({ name: 'vm1', bridge: 'br118' });
    await guest.static(PAIR, one.host.address);
    const wire = await one.guestWire(guest, PAIR);
    // To the domain's other address, and so back onto the wire it came from: the shorter way would be direct.
    const packet = ipv4(PAIR, '123.45.53.11', 'udp', udp(4000, 4000, 'the long way'));
    const count = await one.dropped('redirect', () => wire.send(packet, packet));
    expect(count).to.be.at.least(1);
    expect(await guest.ping(INTERNET)).to.equal(true);
    const redirects = wire
      .frames()
      .filter(frame => frame.readUInt16BE(12) === 0x0800 && frame[23] === 1 && frame[34] === 5);
    expect(redirects).to.have.length(0);
  });
});

filterSuite('an address that changes owner', ({ host }) => {
  it("takes no flow of its last owner's along", async () => {
    const one = await host();
    const closed = { default: 'deny' } as const;
    const [mine, theirs] = [
      { ip: MINE, port: 5000 },
      { ip: INTERNET, port: 6000 },
    ];
    const first = await one.start('vm1', MINE, closed);
    const old = udpFlow(first, mine, one.lab.internet, theirs);
    old.client.send('question;');
    await old.server.until('question;');
    expect(await tracked(one, MINE)).to.equal(1);
    await first.unplug();
    await one.release('vm1', MINE);
    const next = await one.start('vm2', MINE, closed);
    expect(await tracked(one, MINE)).to.equal(0);
    const wire = await one.guestWire(next, MINE);
    await one.dropped('policy', () => old.server.send('late answer;'));
    expect(wire.count('late answer;')).to.equal(0);
  });

  it("takes no flow of its last owner's bootstrap lease along", async () => {
    const one = await host();
    const lease = inScope(MINE, 50);
    const [first, old] = await leased(one, 'vm1', lease);
    old.client.send('question;');
    await old.server.until('question;');
    old.server.send('answer;');
    await old.client.until('answer;');
    expect(await tracked(one, lease)).to.equal(1);
    await first.unplug();
    await one.release('vm1', MINE);
    const [next] = await leased(one, 'vm2', lease);
    expect(await tracked(one, lease)).to.equal(0);
    const wire = await one.guestWire(next, MINE);
    old.server.send('late answer;');
    expect(await next.ping(INTERNET)).to.equal(true);
    expect(wire.count('late answer;')).to.equal(0);
  });

  /** A guest on its bootstrap lease, and a UDP flow to the Internet, which comes from the host's address there. */
  async function leased(one: Filtered, name: string, lease: string) {
    await one.prepare(name, MINE);
    const guest = await one.host.guest({ name, bridge: 'br116' });
    await guest.sh(`ip address add ${lease}/24 dev eth0; ip route add default via ${inScope(MINE, 1)}`);
    const flow = udpFlow(
      guest,
      { ip: lease, port: 5000 },
      one.lab.internet,
      { ip: INTERNET, port: 6000 },
      one.host.address,
    );
    return [guest, flow] as const;
  }

  async function tracked({ host: machine }: Filtered, address: string): Promise<number> {
    const entries = await machine.run(['conntrack', '-L', '--orig-src', address, '-p', 'udp']);
    return entries.split('\n').filter(line => line.includes('dport=6000')).length;
  }
});
