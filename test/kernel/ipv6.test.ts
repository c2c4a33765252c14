import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET6 } from '../lab/site.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
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
});
