import { expect } from 'chai';
import { SOLICITATIONS } from '../../src/firewall/rules/sets.ts';
import type { Guest } from '../lab/guest.ts';
import { INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { SIX } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { echoRequest6, ethernet } from '../support/packets.ts';
import {
  discovery,
  ipv6,
  neighbourAdvertisement,
  neighbourSolicitation,
  redirectTo,
  routerAdvertisement,
} from '../support/packets6.ts';
import { POOLS6 } from '../support/scene.ts';
import type { Wire } from '../support/wire.ts';

const { mine: MINE, neighbour: NEIGHBOUR, host: HOST } = SIX;
const [ROUTER, ALL_NODES] = ['fe80::7', 'ff02::1'];
const [EVERYBODY, GATEWAY] = ['33:33:00:00:00:01', 'fe80::1'];
const advertisement = ({ mac }: Guest): Buffer =>
  ethernet(EVERYBODY, mac, discovery(ROUTER, ALL_NODES, routerAdvertisement('2001:db8:7::')));
/** Made-up senders; without a limit each would take a place in a table that all bridges share. */
const FLOOD = 600;

filterSuite('nothing that a guest sends in IPv6', ({ host, backend }) => {
  let one: Filtered;
  let guest: Guest;
  let neighbour: Guest;
  let attacker: Wire;

  before(async () => {
    one = await host({ pools: POOLS6 });
    guest = await one.start('vm1', MINE);
    neighbour = await one.start('vm2', NEIGHBOUR);
    attacker = await one.guestWire(guest, MINE);
    for (const machine of [guest, neighbour]) expect(await machine.ping(INTERNET6)).to.equal(true);
    // The filter alone must do: here is a bridge that would believe anything.
    await one.host.sh('cd /proc/sys/net/ipv6/conf/br116; echo 2 >accept_ra; echo 1 >accept_redirects');
  });

  /** Everything that such packets try to change; of neighbours who they are, not how lately they were heard. */
  const state = () =>
    one.host.sh(`ip -6 route show table all; ip -6 address; ip -6 route get ${INTERNET6}
      for whose in "dev eth0" "to ${NEIGHBOUR}"; do ip -6 neigh show $whose | awk '{ print $1, $3, $5 }'; done
      for device in all eth0 br116; do grep -r . /proc/sys/net/ipv6/conf/$device 2>/dev/null || true; done`);

  const frame = (packet: Buffer): Buffer => ethernet(EVERYBODY, guest.mac, packet);
  const settled = () => until(() => guest.ping(HOST), PATIENCE, 'an answer of the host');

  it('as a router makes a route or an address on the host, and it is counted', async () => {
    const before = await state();
    expect(await one.dropped('advertisement', () => attacker.sendFrame(advertisement(guest)))).to.equal(1);
    await settled();
    expect(await state()).to.equal(before);
  });

  it('as a redirect changes a route of the host, and it is counted', async () => {
    await guest.ping(HOST);
    const before = await state();
    const about = ipv6(HOST, MINE, 'icmp', echoRequest6('a packet of the host'));
    const redirect = discovery(ROUTER, HOST, redirectTo(ROUTER, MINE, about));
    expect(await one.dropped('advertisement', () => attacker.send(redirect))).to.equal(1);
    await settled();
    expect(await state()).to.equal(before);
  });

  it("as an advertisement of neighbours takes the gateway's place, or another's", async () => {
    const before = await state();
    for (const target of [GATEWAY, HOST, NEIGHBOUR, '2001:db8:12:48::1'])
      for (const source of [MINE, GATEWAY, 'fe80::5054:ff:fe77:1'])
        attacker.sendFrame(frame(discovery(source, ALL_NODES, neighbourAdvertisement(target, guest.mac))));
    await settled();
    expect(await state()).to.equal(before);
    for (const machine of [guest, neighbour]) expect(await machine.ping(INTERNET6)).to.equal(true);
  });

  it('as solicitations of made-up neighbours fills the table, and what is too much is counted', async () => {
    const noted = async () =>
      (await one.host.run(['ip', '-6', 'neigh', 'show', 'nud', 'all', 'dev', 'br116'])).split('\n').length;
    const before = await noted();
    const begun = performance.now();
    const dropped = await one.dropped('solicitation', () => {
      for (let n = 1; n <= FLOOD; n++) {
        const packet = discovery(
          `fe80::bad:${n.toString(16)}`,
          'ff02::1:ff00:1',
          neighbourSolicitation(GATEWAY, guest.mac),
        );
        attacker.sendFrame(frame(packet));
      }
    });
    expect(await neighbour.ping(INTERNET6), 'a neighbour meanwhile').to.equal(true);
    expect(await one.lab.internet.ping(NEIGHBOUR), 'a neighbour meanwhile').to.equal(true);
    const most =
      SOLICITATIONS.packets * (1 + Math.ceil((performance.now() - begun) / 1000 / SOLICITATIONS.seconds));
    expect(dropped).to.be.at.least(FLOOD - most);
    expect((await noted()) - before).to.be.at.most(most);
    await until(() => guest.ping(INTERNET6), PATIENCE, 'the guest itself to be heard again');
  });

  it('would be without effect: without our filter this bridge believes the router', async () => {
    await one.host.sh(
      backend === 'nftables' ? 'nft flush chain ip6 hnet hnet-input' : 'ip6tables -t mangle -F hnet-input',
    );
    attacker.sendFrame(advertisement(guest));
    const believed = async () => (await one.host.run(['ip', '-6', 'route'])).includes('proto ra');
    await until(believed, PATIENCE, 'the route of a router advertisement');
  });
});
