import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Filtered, inScope } from '../support/filtered.ts';
import { echoRequest, type IpOptions, ipv4, udp } from '../support/packets.ts';
import type { Wire } from '../support/wire.ts';

const [MINE, NEIGHBOUR, UNASSIGNED] = ['123.45.90.116', '123.45.90.117', '123.45.90.115'];
/** A word that only forged packets bear. */
const FORGED = 'forged packet';
const EACH = 3;

/** What a guest has no right to send under, and why. */
const SOURCES: readonly (readonly [string, string])[] = [
  ["a neighbour's address", NEIGHBOUR],
  ['an address of the pool that nobody holds', UNASSIGNED],
  ['a single address of the pools that nobody holds', '123.45.53.12'],
  ["the host's address", '123.45.12.48'],
  ["the gateway's address", '123.45.12.1'],
  ['any foreign address', '8.8.8.8'],
  ["the Internet's own, to the Internet too", INTERNET],
  ["another bridge's bootstrap address", inScope(NEIGHBOUR, 50)],
  ["the host's address on its own bridge", inScope(MINE, 1)],
  ["its own bridge's broadcast address", inScope(MINE, 255)],
  ['loopback', '127.0.0.1'],
  ['0.0.0.0, and it is no DHCP', '0.0.0.0'],
  ['another address of 0/8', '0.1.2.3'],
  ['a multicast group', '224.0.0.9'],
  ['a multicast group of the wide world', '239.1.2.3'],
  ['a reserved address', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
];

/** Loose source route and record route (RFC 791, 3.1): via the next address to the one in the header's place. */
const sourceRoute = (via: string): number[] => [131, 7, 4, ...via.split('.').map(Number)];
const RECORD_ROUTE = [7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0];

filterSuite('nobody can use what is not theirs', ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let neighbour: Guest;
  let attacker: Wire;
  let victims: Wire[];

  before(async () => {
    one = await host();
    guest = await one.start('vm1', MINE);
    neighbour = await one.start('vm2', NEIGHBOUR);
    attacker = await one.guestWire(guest, MINE);
    victims = [await one.internetWire(), await one.guestWire(neighbour, NEIGHBOUR)];
    expect(await guest.ping(INTERNET)).to.equal(true);
    expect(await guest.ping(NEIGHBOUR)).to.equal(true);
  });

  beforeEach(() => {
    for (const wire of victims) wire.forget();
  });

  /** Lets honest packets follow, to all who might have been reached; then nothing forged may have come by. */
  async function nothingArrived(): Promise<void> {
    const follower = `honest packet ${Math.random()}`;
    for (const to of [INTERNET, NEIGHBOUR]) attacker.send(ipv4(MINE, to, 'icmp', echoRequest(follower)));
    for (const wire of victims) {
      await wire.until(follower);
      expect(wire.count(FORGED)).to.equal(0);
    }
  }

  function forge(source: string, destination: string, options: IpOptions = {}): Buffer {
    return ipv4(source, destination, 'udp', udp(4000, 4000, FORGED), options);
  }

  for (const [what, source] of SOURCES) {
    it(`not ${what}`, async () => {
      let sent = 0;
      const count = await one.dropped('spoofed', () => {
        for (const target of [INTERNET, NEIGHBOUR, one.host.address, inScope(NEIGHBOUR, 1)]) {
          for (let n = 0; n < EACH; n++) attacker.send(forge(source, target));
          sent += EACH;
        }
      });
      await nothingArrived();
      expect(count, 'counted').to.equal(sent);
    });
  }

  for (const target of ['255.255.255.255', '224.0.0.1', inScope(MINE, 255)]) {
    it(`not 0/8 outside of DHCP, to ${target} either`, async () => {
      const count = await one.dropped('spoofed', () => {
        for (const source of ['0.0.0.0', '0.1.2.3']) attacker.send(forge(source, target));
      });
      expect(count).to.equal(2);
    });
  }

  it('but DHCP, from 0.0.0.0', async () => {
    const lease = await guest.dhcp();
    expect(lease.router).to.equal(inScope(MINE, 1));
    await guest.sh(`ip address flush dev eth0`);
    await guest.static(MINE, one.host.address);
  });

  it('not with IP options, which are no way round', async () => {
    const count = await one.dropped('spoofed', () => {
      for (const options of [RECORD_ROUTE, sourceRoute(NEIGHBOUR), sourceRoute(INTERNET), [1, 1, 1, 1]])
        for (const target of [INTERNET, NEIGHBOUR, one.host.address])
          attacker.send(forge('8.8.8.8', target, { options }));
    });
    await nothingArrived();
    expect(count).to.equal(12);
  });

  it("not by a source route through the host into a neighbour's scope", async () => {
    attacker.send(forge(MINE, one.host.address, { options: sourceRoute(inScope(NEIGHBOUR, 50)) }));
    attacker.send(forge(MINE, one.host.address, { options: sourceRoute(UNASSIGNED) }));
    await nothingArrived();
  });

  it('not in fragments: whole, only the first, only the last, tiny, or overlapping', async () => {
    const datagram = udp(4000, 4000, `${FORGED} ${'x'.repeat(64)}`);
    const part = (id: number, from: number, to: number, more: boolean): Buffer =>
      ipv4(NEIGHBOUR, INTERNET, 'udp', datagram.subarray(from, to), {
        id,
        offset: from / 8,
        moreFragments: more,
      });
    const count = await one.dropped('spoofed', () => {
      attacker.send(part(1, 0, 40, true), part(1, 40, datagram.length, false));
      attacker.send(part(2, 40, datagram.length, false), part(2, 0, 40, true));
      attacker.send(part(3, 0, 40, true));
      attacker.send(part(4, 40, datagram.length, false));
      attacker.send(part(5, 0, 8, true), part(5, 8, datagram.length, false));
      attacker.send(part(6, 0, 48, true), part(6, 40, datagram.length, false));
    });
    await nothingArrived();
    // A datagram is judged when it is whole; what never becomes whole goes nowhere.
    expect(count).to.equal(3);
  });

  it('its own address works, in fragments and with options too', async () => {
    const datagram = udp(4000, 4000, `honest ${'x'.repeat(64)}`);
    attacker.send(
      ipv4(MINE, INTERNET, 'udp', datagram.subarray(0, 40), { id: 9, moreFragments: true }),
      ipv4(MINE, INTERNET, 'udp', datagram.subarray(40), { id: 9, offset: 5 }),
    );
    await victims[0]?.until('honest xxx');
    attacker.send(ipv4(MINE, INTERNET, 'udp', udp(4000, 4000, 'with option'), { options: RECORD_ROUTE }));
    await victims[0]?.until('with option');
  });
});
