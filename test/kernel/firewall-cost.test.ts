import { expect } from 'chai';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';

const MANY = 50;
const ADDRESSES = Array.from({ length: MANY }, (_, index) => `123.45.91.${index + 1}`);

filterSuite('rules', ({ host }) => {
  /** Chains and lines of the whole filter. */
  async function count(one: Filtered): Promise<{ chains: number; rules: number }> {
    const { chains } = await one.look();
    return { chains: chains.size, rules: [...chains.values()].flat().length };
  }

  it(`are as many with ${MANY} domains as with none, but for those with rules of their own`, async () => {
    const one = await host({ pools: ['123.45.91.0/24'] });
    const none = await count(one);
    const xml = ADDRESSES.map((ip, index) => one.xml(`vm${index}`, ip, {}));
    await one.inside({ do: 'attach', xml: xml.slice(0, 1) });
    expect(await count(one)).to.deep.equal(none);
    await Promise.all([xml.slice(1, 25), xml.slice(25)].map(part => one.inside({ do: 'attach', xml: part })));
    expect(await count(one)).to.deep.equal(none);
    const assigned = (await one.look()).sets.get('hnet4-in');
    expect(assigned === 'unread' ? 0 : assigned?.size).to.equal(MANY);
    await one.change('vm7', '123.45.91.8', { isolate: true });
    expect(await count(one)).to.deep.equal(none);
    await one.change('vm8', '123.45.91.9', {
      default: 'deny',
      rules: ['allow tcp/22', 'outbound deny tcp/25'],
    });
    const ruled = await count(one);
    expect(ruled.chains - none.chains).to.equal(4);
    // Three and two rules of its own, mirrored; what leads to them is an entry of a map, or a rule of its own too; and with
    // iptables the fingerprint of each chain is one.
    expect(ruled.rules - none.rules).to.be.at.most(2 * (2 + 2) + 2 * 4 + 4);
    await one.change('vm8', '123.45.91.9', {});
    expect(await count(one)).to.deep.equal(none);
  });
});
