import { expect } from 'chai';
import fc from 'fast-check';
import { inFewLengths } from '../../src/firewall/iptables/lengths.ts';
import { format, parsePrefix } from '../../src/model/address.ts';
import { contains, FAMILIES, last, nth, type Prefix } from '../../src/model/prefix.ts';
import { RESERVED } from '../../src/model/reserved.ts';

const holds = (nets: readonly Prefix[], one: Prefix): boolean => nets.some(net => contains(net, one));

describe('prefixes in few lengths', () => {
  it('are two lengths for all that is reserved, and not many entries', () => {
    for (const family of FAMILIES) {
      const rough = inFewLengths(RESERVED[family]);
      expect(new Set(rough.map(({ length }) => length))).to.have.property('size', 2);
      expect(rough.length).to.be.below(128);
    }
  });

  it('hold all that the prefixes hold', () => {
    const net = fc
      .tuple(fc.constantFrom(...FAMILIES), fc.nat(), fc.nat({ max: 32 }))
      .map(([family, number, length]) => ({
        family,
        first: (BigInt(number) >> BigInt(32 - length)) << BigInt((family === 4 ? 32 : 128) - length),
        length,
      }));
    fc.assert(
      fc.property(fc.array(net, { maxLength: 5 }), nets => {
        const rough = inFewLengths(nets);
        for (const one of nets)
          for (const address of [nth(one, 0n), { ...nth(one, 0n), first: last(one) }])
            expect(holds(rough, address), format(address)).to.equal(true);
      }),
    );
  });

  it('are cut into parts rather than widened', () => {
    const of = (text: string): string[] => inFewLengths([parsePrefix(text)]).map(format);
    expect(of('198.18.0.0/15')).to.deep.equal(['198.18.0.0/16', '198.19.0.0/16']);
    expect(of('203.0.113.0/24')).to.deep.equal(['203.0.0.0/16']);
    expect(of('fec0::/10')).to.deep.equal(['fe00::/8']);
  });
});
