import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Packet, wayOf } from '../support/way.ts';

/** Packets of domains that have single addresses and no rules. */
const ORDINARY = {
  in: { from: 'uplink', to: 'domain', source: [], destination: ['in', 'near'] },
  out: { from: 'domain', to: 'uplink', source: ['out'], destination: [] },
  between: { from: 'domain', to: 'domain', source: ['out'], destination: ['in', 'near'] },
} as const satisfies Record<string, Packet>;

type Cost = readonly [rules: number, lookups: number];

/**
 * What such a packet meets, with one pool of each family and one uplink. It was as much, or more between domains, before
 * uplinks were a list (b61cf1f). Whoever raises a number makes every packet dearer: can the lookup be folded into another
 * (docs/decisions/0023, 0051)?
 */
const MEETS: Readonly<
  Record<string, Readonly<Record<4 | 6, Readonly<Record<keyof typeof ORDINARY, Cost>>>>>
> = {
  'base-both-families': {
    4: { in: [10, 2], out: [15, 3], between: [22, 8] },
    6: { in: [10, 2], out: [18, 3], between: [25, 8] },
  },
  'base-both-families-nftables': {
    4: { in: [9, 3], out: [15, 4], between: [25, 12] },
    6: { in: [9, 3], out: [16, 4], between: [26, 12] },
  },
};

const planOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../golden/${name}.txt`, import.meta.url)), 'utf8');

describe('an ordinary packet', () => {
  for (const [name, families] of Object.entries(MEETS)) {
    for (const family of [4, 6] as const) {
      for (const [kind, cost] of Object.entries(families[family])) {
        it(`meets so many rules and lookups: ${name}, IPv${family}, ${kind}`, () => {
          const { rules, lookups } = wayOf(ORDINARY[kind as keyof typeof ORDINARY], planOf(name), family);
          expect([rules, lookups.length], lookups.join(' ')).to.deep.equal(cost);
        });
      }
    }
  }

  it('meets more where there is more to tell of its source', () => {
    const particular = { ...ORDINARY.out, source: ['out', 'particular'] };
    expect(wayOf(particular, planOf('base'), 4).lookups.join(' ')).to.equal(
      'out particular held tracked partly near',
    );
  });

  it('is none where the walk has no words for a condition', () => {
    const odd = planOf('base').replaceAll('-A hnet-egress -o', '-A hnet-egress -m odd -o');
    expect(() => wayOf(ORDINARY.out, odd, 4)).to.throw('Cannot tell whether a packet matches "-m odd');
  });
});
