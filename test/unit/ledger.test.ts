import { expect } from 'chai';
import fc from 'fast-check';
import { countedOf } from '../../src/firewall/rules/counted.ts';
import { parsePrefix } from '../../src/model/address.ts';
import { credited, type Months, NO_TRAFFIC, type Traffic } from '../../src/model/traffic.ts';
import { type Account, totalOf } from '../../src/state/ledger.ts';
import { parseTally } from '../../src/state/tally.ts';

const PREFIX = parsePrefix('123.45.90.116');
const traffic = (received: bigint, sent: bigint): Traffic => ({
  in: { packets: received, bytes: received * 100n },
  out: { packets: sent, bytes: sent * 100n },
});
const entry = (total: Traffic, seen: Traffic): Account => ({ domain: 'd', total, seen });

describe('the ledger', () => {
  it('adds what was counted since it looked last', () => {
    expect(totalOf(entry(traffic(10n, 5n), traffic(4n, 2n)), traffic(6n, 2n))).to.deep.equal(
      traffic(12n, 5n),
    );
  });

  it('takes a counter that is lower than it was for one that has begun anew', () => {
    expect(totalOf(entry(traffic(10n, 5n), traffic(4n, 2n)), traffic(3n, 9n))).to.deep.equal(
      traffic(13n, 12n),
    );
  });

  it('says what it knows where nothing is counted, or nothing known', () => {
    expect(totalOf(entry(traffic(10n, 5n), traffic(4n, 2n)), undefined)).to.deep.equal(traffic(10n, 5n));
    expect(totalOf(undefined, traffic(3n, 1n))).to.deep.equal(traffic(3n, 1n));
    expect(totalOf(undefined, undefined)).to.deep.equal(NO_TRAFFIC);
  });

  it('comes to the same, however often it looks', () => {
    const steps = fc.array(fc.tuple(fc.bigInt({ min: 0n, max: 1n << 70n }), fc.boolean()));
    fc.assert(
      fc.property(steps, packets => {
        let known = entry(NO_TRAFFIC, NO_TRAFFIC);
        let counted = 0n;
        for (const [more, looks] of packets) {
          counted += more;
          if (looks) known = entry(totalOf(known, traffic(counted, 0n)), traffic(counted, 0n));
        }
        expect(totalOf(known, traffic(counted, 0n))).to.deep.equal(traffic(counted, 0n));
      }),
    );
  });

  it('credits a month with what a total has grown by, to the domain that it was', () => {
    const first = credited({}, '2026-11', 'a', NO_TRAFFIC, traffic(5n, 1n));
    const second = credited(first, '2026-11', 'a', traffic(5n, 1n), traffic(7n, 1n));
    const third = credited(second, '2026-11', 'b', NO_TRAFFIC, traffic(1n, 1n));
    expect(credited(third, '2026-12', 'a', traffic(7n, 1n), traffic(9n, 2n))).to.deep.equal({
      '2026-11': { a: traffic(7n, 1n), b: traffic(1n, 1n) },
      '2026-12': { a: traffic(2n, 1n) },
    });
    expect(credited(first, '2026-12', 'a', traffic(5n, 1n), traffic(5n, 1n))).to.equal(first);
  });

  it('has in its months together what it has in all', () => {
    const steps = fc.array(fc.tuple(fc.bigInt({ min: 0n, max: 1000n }), fc.integer({ min: 1, max: 12 })));
    fc.assert(
      fc.property(steps, all => {
        let [months, total]: [Months, Traffic] = [{}, NO_TRAFFIC];
        for (const [more, month] of all) {
          const grown = traffic(total.in.packets + more, 0n);
          months = credited(months, `2026-${String(month).padStart(2, '0')}`, 'a', total, grown);
          total = grown;
        }
        const sum = Object.values(months).reduce((so, { a }) => so + (a?.in.packets ?? 0n), 0n);
        expect(sum).to.equal(total.in.packets);
      }),
    );
  });

  const DOMAIN = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';
  const TALLIES = {
    ipset: `${DOMAIN}
add hnet4-in 123.45.90.116 packets 12 bytes 1200
add hnet4-out 123.45.90.116 packets 3 bytes 300
end
`,
    nft: `${DOMAIN}
table ip hnet {
\tset hnet4-in {
\t\ttype ipv4_addr
\t\telements = { 123.45.90.116 counter packets 12 bytes 1200 }
\t}
}
table ip hnet {
\tset hnet4-out {
\t\ttype ipv4_addr
\t\telements = { 123.45.90.116 counter packets 3 bytes 300 }
\t}
}
end
`,
  };
  for (const [tool, text] of Object.entries(TALLIES)) {
    it(`understands what ${tool} has printed for a script, if it is whole`, () => {
      expect(parseTally(PREFIX, text)).to.deep.equal({ domain: DOMAIN, counted: traffic(12n, 3n) });
      for (let length = 0; length < text.length; length++)
        expect(parseTally(PREFIX, text.slice(0, length)), `${length} bytes`).to.equal(undefined);
      expect(parseTally(parsePrefix('2001:db8::1'), text)).to.equal(undefined);
      expect(parseTally(PREFIX, text.replace(DOMAIN, 'somebody'))).to.equal(undefined);
    });
  }

  it('finds the counters of an address in the sets, and only where both were read', () => {
    const counters = (packets: bigint) => new Map([['123.45.90.116/32', { packets, bytes: packets * 100n }]]);
    const view = (sets: [string, ReturnType<typeof counters> | 'unread'][]) => ({
      sets: new Map(sets),
      chains: new Map(),
    });
    expect(
      countedOf(
        PREFIX,
        view([
          ['hnet4-in', counters(1n)],
          ['hnet4-out', counters(2n)],
        ]),
      ),
    ).to.deep.equal(traffic(1n, 2n));
    expect(
      countedOf(
        PREFIX,
        view([
          ['hnet4-in', counters(1n)],
          ['hnet4-out', 'unread'],
        ]),
      ),
    ).to.equal(undefined);
    expect(countedOf(PREFIX, view([['hnet4-in', counters(1n)]]))).to.equal(undefined);
    expect(
      countedOf(
        parsePrefix('123.45.90.117'),
        view([
          ['hnet4-in', counters(1n)],
          ['hnet4-out', counters(2n)],
        ]),
      ),
    ).to.equal(undefined);
  });
});
