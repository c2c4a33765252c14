import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET6 } from '../lab/site.ts';
import { SIX } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { echoRequest6, udp } from '../support/packets.ts';
import { ipv6 } from '../support/packets6.ts';
import { POOLS6 } from '../support/scene.ts';
import type { Wire } from '../support/wire.ts';

const { mine: MINE, unassigned: UNASSIGNED, host: HOST } = SIX;
const FORGED = 'forged packet';
/** Addresses of a pool that somebody asks for one by one; each could take a place in the kernel's table. */
const SCAN = 300;
/** How a host's own address may be configured: alone, or with the provider's whole subnet, which is a pool too. */
const ONLY = '';
const SUBNET = `ip address del ${HOST}/128 dev eth0; ip address add ${HOST}/64 dev eth0 nodad`;

filterSuite('from outside, in IPv6', ({ host }) => {
  for (const [what, given] of [
    ['with an address of its own', ONLY],
    ["with the pool's own subnet on its uplink", SUBNET],
  ] as const) {
    describe(`a host ${what}`, () => {
      let one: Filtered;
      let guest: Guest;
      let provider: Wire;
      let wire: Wire;

      before(async () => {
        one = await host({ pools: POOLS6, given });
        guest = await one.start('vm1', MINE);
        wire = await one.guestWire(guest, MINE);
        provider = await one.providerWire();
      });

      async function nothingArrived(): Promise<void> {
        const follower = `honest packet ${Math.random()}`;
        provider.send(ipv6(INTERNET6, MINE, 'udp', udp(4000, 4000, follower)));
        await wire.until(follower);
        expect(wire.count(FORGED)).to.equal(0);
      }

      it('works: its domain reaches the Internet and is reached, and so does the host', async () => {
        expect(await guest.ping(INTERNET6)).to.equal(true);
        expect(await one.lab.internet.ping(MINE)).to.equal(true);
        expect(await one.lab.internet.ping(HOST)).to.equal(true);
      });

      it('takes nothing under an address of its pools', async () => {
        const sources = [MINE, UNASSIGNED, '2001:db8:12:4942::1', HOST];
        const count = await one.dropped('borrowed', () => {
          for (const source of sources)
            for (const target of [MINE, HOST])
              provider.send(ipv6(source, target, 'udp', udp(4000, 4000, FORGED)));
        });
        expect(count).to.equal(2 * sources.length);
        await nothingArrived();
      });

      it('says of an address that nobody holds that it is unreachable', async () => {
        const { stdout } = await one.lab.internet.attempt(['ping', '-n', '-c1', '-W2', UNASSIGNED]);
        expect(stdout).to.match(/Destination unreachable/);
      });

      it('notes no neighbour for addresses that nobody holds, however many are asked for', async () => {
        for (let n = 1; n <= SCAN; n++)
          for (const prefix of [
            '2001:db8:12:48::1:',
            `2001:db8:12:49${(n % 256).toString(16).padStart(2, '0')}::`,
          ])
            provider.send(ipv6(INTERNET6, `${prefix}${n.toString(16)}`, 'icmp', echoRequest6(FORGED)));
        await nothingArrived();
        // Routers and groups come and go among them.
        const known = await one.host.sh("ip -6 neigh show nud all | awk '/^2001:db8:12:4/ { print $1 }'");
        expect(known.split('\n').filter(address => address !== MINE && address !== '')).to.deep.equal([]);
        expect(await one.lab.internet.ping(MINE)).to.equal(true);
      });
    });
  }

  it("takes the gateway's word, though its address lies in a pool", async () => {
    const gateway = '2001:db8:12:48::1';
    const one = await host({
      pools: POOLS6,
      given: `${SUBNET}; ip -6 route replace default via ${gateway} dev eth0`,
    });
    await one.lab.gateway.sh(`ip address add ${gateway}/128 dev h1 nodad`);
    const guest = await one.start('vm1', MINE);
    expect(await one.lab.internet.ping(MINE)).to.equal(true);
    expect(await guest.ping(INTERNET6)).to.equal(true);
    expect(await one.lab.gateway.ping(MINE, gateway)).to.equal(true);
    expect(await guest.ping(gateway)).to.equal(true);
    expect(await one.drops('borrowed')).to.equal(0);
  });
});
