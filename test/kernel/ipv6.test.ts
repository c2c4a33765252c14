import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET6 } from '../lab/site.ts';
import { exchange, Listener } from '../support/endpoint.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { udp } from '../support/packets.ts';
import { ipv6 } from '../support/packets6.ts';
import { POOLS6 } from '../support/scene.ts';

const [ONE, TWO] = ['2001:db8:12:48::116', '2001:db8:12:48::117'];

filterSuite('IPv6', ({ host }) => {
  let one: Filtered;
  let guest: Guest;

  before(async () => {
    one = await host({ pools: POOLS6 });
    guest = await one.start('vm1', ONE);
  });

  it('is routed: a static guest is reached from outside, and sees it with its own address', async () => {
    expect(await one.lab.internet.ping(ONE)).to.equal(true);
    expect(await guest.ping(INTERNET6)).to.equal(true);
  });

  it('passes between domains', async () => {
    const two = await one.start('vm2', TWO);
    expect(await guest.ping(TWO)).to.equal(true);
    expect(await two.ping(ONE)).to.equal(true);
  });

  it('is counted, each packet once, at its address', async () => {
    const before = await one.total(ONE);
    const [wire, internet] = [await one.guestWire(guest, ONE), await one.internetWire()];
    for (let n = 1; n <= 10; n++)
      internet.send(ipv6(INTERNET6, ONE, 'udp', udp(4000, 4000, `packet ${n};`.padEnd(100, '.'))));
    await wire.until('packet 10;');
    const after = await one.total(ONE);
    expect(after.in.packets - before.in.packets).to.equal(10);
    expect(after.in.bytes - before.in.bytes).to.equal(10 * (40 + 8 + 100));
  });

  it('is cut off at once by a new deny, tracked until then or not', async () => {
    for (const rules of [[], ['allow tcp/9090']]) {
      await one.change('vm1', ONE, { rules });
      const listener = new Listener(guest, { ip: ONE, port: 8080 });
      const flow = await listener.connect(one.lab.internet);
      await exchange(flow);
      await one.change('vm1', ONE, { rules: [...rules, 'deny tcp/8080'] });
      await one.dropped('policy', () => flow.client.send('cut off;'));
      expect(flow.server.received()).not.to.contain('cut off;');
      for (const end of [flow.client, flow.server, listener]) end.close();
    }
  });
});
