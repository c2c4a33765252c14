import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET6 } from '../lab/site.ts';
import { SIX } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { echoRequest6, ethernet, udp } from '../support/packets.ts';
import {
  bare6,
  DESTINATION_OPTIONS,
  discovery,
  fragment,
  HOP_BY_HOP,
  type Ip6Options,
  ipv6,
  neighbourSolicitation,
  routerSolicitation,
  routing,
} from '../support/packets6.ts';
import { POOLS6 } from '../support/scene.ts';
import type { Wire } from '../support/wire.ts';

const { mine: MINE, neighbour: NEIGHBOUR, unassigned: UNASSIGNED, host: HOST } = SIX;
const FORGED = 'forged packet';
const LINK_LOCAL = 'fe80::5054:ff:fe77:1';
/** The multicast group of a solicited address (RFC 4291, 2.7.1). */
const SOLICITED = 'ff02::1:ff00:1';

/** What a guest has no right to send under, and why. */
const SOURCES: readonly (readonly [string, string])[] = [
  ["a neighbour's address", NEIGHBOUR],
  ['an address of the pool that nobody holds', UNASSIGNED],
  ['an address of a wide pool that nobody holds', '2001:db8:12:4942::1'],
  ["the host's address", HOST],
  ['any foreign address', '2001:db8:9::9'],
  ["the Internet's own", INTERNET6],
  ["the host's private address on its own bridge", 'fd68:6e:ac1e:1600::1'],
  ["another bridge's private subnet", 'fd68:6e:ac1e:1700::50'],
  ['a site-local address', 'fec0::1'],
  ['a translated address', '64:ff9b::808:808'],
  ['the unspecified address', '::'],
];

/** What the kernel throws away before any filter sees it. */
const IMPOSSIBLE: readonly (readonly [string, string])[] = [
  ['loopback', '::1'],
  ['a multicast group', 'ff02::1'],
  ['a multicast group of the wide world', 'ff0e::1234'],
  ['an IPv4 address, mapped', '::ffff:808:808'],
];

filterSuite('nobody can use what is not theirs, in IPv6', ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let attacker: Wire;
  let victims: Wire[];

  before(async () => {
    one = await host({ pools: POOLS6 });
    guest = await one.start('vm1', MINE);
    const neighbour = await one.start('vm2', NEIGHBOUR);
    attacker = await one.guestWire(guest, MINE);
    victims = [await one.internetWire(), await one.guestWire(neighbour, NEIGHBOUR)];
    expect(await guest.ping(INTERNET6)).to.equal(true);
    expect(await guest.ping(NEIGHBOUR)).to.equal(true);
  });

  beforeEach(() => {
    for (const wire of victims) wire.forget();
  });

  /** Lets honest packets follow, to all who might have been reached; then nothing forged may have come by. */
  async function nothingArrived(): Promise<void> {
    const follower = `honest packet ${Math.random()}`;
    for (const to of [INTERNET6, NEIGHBOUR]) attacker.send(ipv6(MINE, to, 'icmp', echoRequest6(follower)));
    for (const wire of victims) {
      await wire.until(follower);
      expect(wire.count(FORGED)).to.equal(0);
    }
  }

  const forge = (source: string, destination: string, options: Ip6Options = {}): Buffer =>
    ipv6(source, destination, 'udp', udp(4000, 4000, FORGED), options);
  const targets = [INTERNET6, NEIGHBOUR, HOST];

  for (const [what, source] of SOURCES) {
    it(`not ${what}`, async () => {
      const count = await one.dropped('spoofed', () => {
        for (const target of targets) attacker.send(forge(source, target));
      });
      await nothingArrived();
      expect(count, 'counted').to.equal(targets.length);
    });
  }

  it("not what is nobody's at all: loopback, multicast, mapped IPv4", async () => {
    for (const [, source] of IMPOSSIBLE) for (const target of targets) attacker.send(forge(source, target));
    await nothingArrived();
  });

  it('not with extension headers, which are no way round', async () => {
    const ways: Ip6Options['extensions'][] = [
      [HOP_BY_HOP],
      [DESTINATION_OPTIONS],
      [routing(0, NEIGHBOUR)],
      [routing(2, INTERNET6)],
      [HOP_BY_HOP, DESTINATION_OPTIONS, routing(0, NEIGHBOUR), fragment(1, 0, false)],
      [fragment(2, 0, false)],
    ];
    const count = await one.dropped('spoofed', () => {
      for (const extensions of ways)
        for (const target of targets)
          attacker.send(forge('2001:db8:9::9', target, { ...(extensions && { extensions }) }));
    });
    await nothingArrived();
    expect(count).to.equal(ways.length * targets.length);
  });

  it('not the unspecified address in ICMPv6 either, which alone may use it on its wire', async () => {
    for (const target of targets) attacker.send(ipv6('::', target, 'icmp', echoRequest6(FORGED)));
    await nothingArrived();
  });

  it("not by a routing header through the host to a neighbour's private subnet or to what nobody holds", async () => {
    for (const type of [0, 2] as const)
      for (const via of ['fd68:6e:ac1e:1700::50', UNASSIGNED, NEIGHBOUR])
        attacker.send(forge(MINE, HOST, { extensions: [routing(type, via)] }));
    await nothingArrived();
  });

  it('not in fragments: whole, only the first, only the last, tiny', async () => {
    const datagram = udp(4000, 4000, `${FORGED} ${'x'.repeat(64)}`);
    const part = (id: number, from: number, to: number, more: boolean): Buffer =>
      bare6(NEIGHBOUR, INTERNET6, 17, datagram.subarray(from, to), {
        extensions: [fragment(id, from, more)],
      });
    const count = await one.dropped('spoofed', () => {
      attacker.send(part(1, 0, 40, true), part(1, 40, datagram.length, false));
      attacker.send(part(2, 40, datagram.length, false), part(2, 0, 40, true));
      attacker.send(part(3, 0, 40, true));
      attacker.send(part(4, 40, datagram.length, false));
      attacker.send(part(5, 0, 8, true), part(5, 8, datagram.length, false));
    });
    await nothingArrived();
    // A datagram is judged when it is whole; what never becomes whole goes nowhere.
    expect(count).to.equal(3);
  });

  it('from its link-local address nothing leaves the bridge', async () => {
    for (const to of [INTERNET6, NEIGHBOUR]) attacker.send(forge(LINK_LOCAL, to), forge('fe80::1', to));
    await nothingArrived();
  });

  it('to a group beyond its wire nothing leaves the bridge', async () => {
    const groups = ['ff02::1', 'ff05::2', 'ff0e::1234'];
    for (const group of groups)
      attacker.sendFrame(ethernet('33:33:00:00:00:01', guest.mac, forge(MINE, group)));
    await nothingArrived();
  });

  it('its own address works, in fragments and with extension headers too', async () => {
    const datagram = udp(4000, 4000, `honest ${'x'.repeat(64)}`);
    attacker.send(
      bare6(MINE, INTERNET6, 17, datagram.subarray(0, 40), { extensions: [fragment(9, 0, true)] }),
      bare6(MINE, INTERNET6, 17, datagram.subarray(40), { extensions: [fragment(9, 40, false)] }),
    );
    await victims[0]?.until('honest xxx');
    for (const extensions of [[HOP_BY_HOP], [DESTINATION_OPTIONS]]) {
      victims[0]?.forget();
      attacker.send(ipv6(MINE, INTERNET6, 'udp', udp(4000, 4000, 'with more'), { extensions }));
      await victims[0]?.until('with more');
    }
  });

  it('neighbour discovery works: from nobody, from its link-local address, from its own', async () => {
    const answered = async (type: number, packet: Buffer): Promise<void> => {
      attacker.forget();
      attacker.sendFrame(ethernet('33:33:ff:00:00:01', guest.mac, packet));
      await attacker.until(Buffer.from([58, 255]));
      const came = attacker.frames().filter(frame => frame[20] === 58 && frame[54] === type);
      expect(came, `ICMPv6 of type ${type}`).not.to.have.length(0);
    };
    // Duplicate address detection of the gateway's own address (RFC 4862, 5.4.3): it is defended.
    await answered(136, discovery('::', SOLICITED, neighbourSolicitation('fe80::1')));
    await answered(136, discovery(LINK_LOCAL, SOLICITED, neighbourSolicitation('fe80::1', guest.mac)));
    await answered(136, discovery(MINE, SOLICITED, neighbourSolicitation('fe80::1', guest.mac)));
    const before = await one.drops('spoofed');
    attacker.sendFrame(
      ethernet('33:33:00:00:00:02', guest.mac, discovery('::', 'ff02::2', routerSolicitation(guest.mac))),
    );
    await nothingArrived();
    expect(await one.drops('spoofed')).to.equal(before);
  });
});
