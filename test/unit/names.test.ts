import { expect } from 'chai';
import fc from 'fast-check';
import { format, parsePrefix } from '../../src/model/address.ts';
import { bridgeNames } from '../../src/model/bridge-names.ts';
import {
  aliasOwner,
  articleScope,
  bridgeMac,
  gatewayOf,
  INTERFACE_NAME,
  isUuid,
  linkAlias,
} from '../../src/model/names.ts';
import { address4, address6, hostile, uuid } from '../support/arbitrary.ts';

const IFNAMSIZ = 15;

describe('names', () => {
  it("follow the article's rule first", () => {
    const address = parsePrefix('123.45.90.116');
    expect(bridgeNames(address)[0]).to.equal('br116');
    expect(format(articleScope(address))).to.equal('172.30.116.0/24');
    expect(format(gatewayOf(articleScope(address)))).to.equal('172.30.116.1');
    expect(bridgeMac(articleScope(address))).to.equal('02:68:ac:1e:74:01');
  });

  it('of bridges are names of interfaces: at most 15 bytes', () => {
    fc.assert(
      fc.property(fc.oneof(address4, address6), address => {
        for (const name of bridgeNames(address)) {
          expect(name).to.match(INTERFACE_NAME);
          expect(Buffer.byteLength(name)).to.be.at.most(IFNAMSIZ);
        }
      }),
    );
  });

  it('of bridges differ somewhere for any two addresses, whatever octets they share', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const pair = fc.tuple(octet, octet, octet, octet, octet, fc.integer({ min: 0, max: 3 }));
    fc.assert(
      fc.property(pair, ([a, b, c, d, other, place]) => {
        const octets = [a, b, c, d];
        fc.pre(octets[place] !== other);
        const changed = octets.with(place, other);
        const [mine, theirs] = [octets, changed].map(one => bridgeNames(parsePrefix(one.join('.'))));
        expect(mine?.at(-1)).not.to.equal(theirs?.at(-1));
      }),
    );
  });

  it('of a MAC are of the local kind, for one station, and differ with the scope', () => {
    fc.assert(
      fc.property(address4, address4, (a, b) => {
        const [first, second] = [a, b].map(({ first }) =>
          bridgeMac({ family: 4, first: (first >> 8n) << 8n, length: 24 }),
        );
        expect(first).to.match(/^02(:[0-9a-f]{2}){5}$/);
        expect(first === second).to.equal(a.first >> 8n === b.first >> 8n);
      }),
    );
  });

  it('of a link tell whose it is, and only of ours', () => {
    fc.assert(fc.property(uuid, domain => void expect(aliasOwner(linkAlias(domain))).to.equal(domain)));
    fc.assert(fc.property(hostile, text => void expect(aliasOwner(text)).to.equal(undefined)));
    for (const alias of ['hnet', 'hnet ', 'hnet x', 'hnet e47a3cb2-3cf1-3db7-64d2-f9d88cca439f x'])
      expect(aliasOwner(alias), alias).to.equal(undefined);
    expect(isUuid('E47A3CB2-3cf1-3db7-64d2-f9d88cca439f')).to.equal(false);
  });
});
