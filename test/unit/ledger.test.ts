import { expect } from 'chai';
import fc from 'fast-check';
import { parsePrefix } from '../../src/address.ts';
import { countedOf, type Entry, NO_TRAFFIC, type Traffic, totalOf } from '../../src/ledger.ts';

const PREFIX = parsePrefix('123.45.90.116');
const traffic = (received: bigint, sent: bigint): Traffic => ({
  in: { packets: received, bytes: received * 100n },
  out: { packets: sent, bytes: sent * 100n },
});
const entry = (total: Traffic, seen: Traffic): Entry => ({ domain: 'd', total, seen });

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
