import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { BOTH } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Filtered, inScope } from '../support/filtered.ts';
import { arpRequest } from '../support/packets.ts';
import { POOLS6 } from '../support/scene.ts';
import type { Wire } from '../support/wire.ts';

const [MINE = ''] = BOTH.mine;

filterSuite('one bridge has a budget', ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let other: Guest;
  let attacker: Wire;

  before(async () => {
    one = await host({ pools: POOLS6 });
    guest = await one.start('vm1', BOTH.mine);
    other = await one.start('vm2', BOTH.neighbour);
    attacker = await one.guestWire(guest, BOTH.mine);
    for (const address of [INTERNET, INTERNET6]) expect(await other.ping(address)).to.equal(true);
  });

  /** Whether the host and the other guest are reachable from outside, and the other guest reaches the outside, without loss. */
  async function othersAreWell(): Promise<void> {
    const pings = ['-n', '-q', '-c20', '-i0.05', '-W1'];
    const outside = [...BOTH.neighbour, one.host.address].map(to =>
      one.lab.internet.run(['ping', ...pings, to]),
    );
    const inside = [INTERNET, INTERNET6].map(to => other.run(['ping', ...pings, to]));
    for (const answer of await Promise.all([...outside, ...inside]))
      expect(answer).to.match(/ 0% packet loss/);
  }

  const neighbours = async (bridge: string): Promise<number> =>
    (await one.host.run(['ip', 'neigh', 'show', 'nud', 'all', 'dev', bridge])).split('\n').length;

  it('of ARP senders, and those that it has had are not limited', async () => {
    const before = await neighbours('br116');
    const ask = (last: number): void =>
      attacker.sendFrame(arpRequest(guest.mac, inScope(MINE, last), inScope(MINE, 1)));
    const dropped = await one.dropped('senders', () => {
      for (let last = 2; last < 255; last++) ask(last);
    });
    await othersAreWell();
    expect(dropped).to.be.at.least(150);
    expect((await neighbours('br116')) - before).to.be.at.most(64);
    const drops = await one.drops('senders');
    for (let time = 0; time < 200; time++) ask(2);
    await until(() => guest.ping(one.host.address), PATIENCE, 'an answer of the host');
    expect(await one.drops('senders')).to.equal(drops);
  });
});
