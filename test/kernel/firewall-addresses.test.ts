import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { Pings } from '../lab/pings.ts';
import { INTERNET } from '../lab/site.ts';
import { exchange, udpFlow } from '../support/endpoint.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { ipv4, udp } from '../support/packets.ts';
import { type End, outside, passes } from '../support/probe.ts';

const [FIRST, SECOND, SUBNET, NEIGHBOUR] = [
  '123.45.90.116',
  '123.45.90.117',
  '123.45.90.112/30',
  '123.45.90.118',
];
const ALL = [FIRST, SECOND, SUBNET] as const;
/** Every address of all that, a subnet's first and last included. */
const EACH = [FIRST, SECOND, ...[112, 113, 114, 115].map(octet => `123.45.90.${octet}`)];

filterSuite('several addresses and a subnet on one bridge', ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let mine: End;
  let neighbour: End;
  let internet: End;

  before(async () => {
    one = await host();
    guest = await one.start('vm1', ALL);
    for (const ip of EACH.slice(1)) await guest.run(['ip', 'address', 'add', `${ip}/32`, 'dev', 'eth0']);
    const other = await one.start('vm2', NEIGHBOUR);
    mine = { wire: await one.guestWire(guest, FIRST), ip: FIRST };
    neighbour = { wire: await one.guestWire(other, NEIGHBOUR), ip: NEIGHBOUR };
    internet = outside(await one.internetWire());
  });

  it('are routed: each is reached from outside, and reaches outside', async () => {
    for (const ip of EACH) {
      expect(await one.lab.internet.ping(ip), ip).to.equal(true);
      expect(await guest.ping(INTERNET, ip), ip).to.equal(true);
    }
  });

  it("are nobody else's: a neighbour gets nothing out under any of them", async () => {
    const count = await one.dropped('spoofed', () => {
      for (const ip of EACH) neighbour.wire.send(ipv4(ip, INTERNET, 'udp', udp(1, 1, 'forged packet')));
    });
    expect(count).to.equal(EACH.length);
    expect(await passes(neighbour, internet, 'udp', 1)).to.equal(true);
    expect(internet.wire.count('forged packet')).to.equal(0);
  });

  it('are counted each by itself, a subnet as a whole', async () => {
    const totals = () => Promise.all(ALL.map(ip => one.total(ip)));
    const before = await totals();
    const sent = { [FIRST]: 1, [SECOND]: 2, '123.45.90.112': 3, '123.45.90.115': 4 };
    for (const [ip, count] of Object.entries(sent))
      for (let n = 0; n < count; n++) mine.wire.send(ipv4(ip, INTERNET, 'udp', udp(9, 9, `counted ${ip}`)));
    for (const ip of Object.keys(sent)) await internet.wire.until(`counted ${ip}`);
    const more = (await totals()).map(({ out }, index) => out.packets - (before[index]?.out.packets ?? 0));
    expect(more).to.deep.equal([1, 2, 7]);
  });

  it('are under the rules of their domain, all of them', async () => {
    await one.change('vm1', ALL, { default: 'deny', rules: ['allow tcp/80'] });
    for (const ip of EACH) {
      expect(await passes(internet, { ...mine, ip }, 'tcp', 80), ip).to.equal(true);
      expect(await passes(internet, { ...mine, ip }, 'tcp', 81), ip).to.equal(false);
    }
    await one.change('vm1', ALL, {});
  });

  it('come and go at once, and those that stay lose no packet', async () => {
    const pings = await Pings.start(one.lab.internet, FIRST);
    const answers = () => Promise.all(EACH.slice(1).map(ip => one.lab.internet.ping(ip)));
    for (let round = 0; round < 2; round++) {
      await one.change('vm1', [FIRST], {});
      expect(await answers(), 'gone').not.to.include(true);
      await one.dropped('spoofed', () => mine.wire.send(ipv4(SECOND, INTERNET, 'udp', udp(1, 1, ''))));
      await one.change('vm1', ALL, {});
      expect(await answers(), 'back').not.to.include(false);
    }
    await pings.more(20);
    const { answered, lost } = await pings.stop();
    expect(answered).to.be.above(60);
    expect(lost).to.equal(0);
  });
});

filterSuite('an address that moves between two running domains', ({ host }) => {
  const [PORT, FAR] = [5000, 6000];

  for (const [what, policy] of [
    ['without rules', {}],
    ['with rules', { default: 'deny', rules: [`allow udp/${PORT}`] }],
  ] as const) {
    it(`is the taker's at once and no longer the giver's; no flow goes along (domains ${what})`, async () => {
      const one = await host();
      const giver = await one.start('vm1', [FIRST, SECOND], policy);
      await giver.run(['ip', 'address', 'add', `${SECOND}/32`, 'dev', 'eth0']);
      const taker = await one.start('vm2', NEIGHBOUR, policy);
      const flow = udpFlow(one.lab.internet, { ip: INTERNET, port: FAR }, giver, { ip: FIRST, port: PORT });
      await exchange(flow);
      const kept = udpFlow(one.lab.internet, { ip: INTERNET, port: FAR + 1 }, giver, {
        ip: SECOND,
        port: PORT,
      });
      await exchange(kept);
      await taker.run(['ip', 'address', 'add', `${FIRST}/32`, 'dev', 'eth0']);
      await one.move(FIRST, 'vm1', 'vm2', [NEIGHBOUR, FIRST], policy);
      expect(await one.host.run(['ip', 'route', 'show', FIRST])).to.include('dev br118');
      expect((await one.host.attempt(['conntrack', '-L', '-d', FIRST])).stdout).to.equal('');

      const [old, now] = [await one.guestWire(giver, FIRST), await one.guestWire(taker, NEIGHBOUR)];
      const before = await one.total(FIRST);
      expect(before.in.packets + before.out.packets, 'counted for the taker so far').to.equal(0);
      await one.dropped('spoofed', () =>
        old.send(ipv4(FIRST, INTERNET, 'udp', udp(PORT, FAR, 'forged packet'))),
      );
      const internet = outside(await one.internetWire());
      expect(await passes(internet, { wire: now, ip: FIRST }, 'udp', PORT)).to.equal(true);
      expect(await passes({ wire: now, ip: FIRST }, internet, 'udp', 1)).to.equal(true);
      flow.client.send('to whom it may concern;');
      await now.until('to whom it may concern;');
      expect(flow.server.received()).not.to.contain('concern');
      await exchange(kept);
      for (const end of [flow.client, flow.server, kept.client, kept.server]) end.close();
    });
  }
});
