import { expect } from 'chai';
import { nearestFree, withWayOut } from '../../src/assign/nearest.ts';
import { format, parsePrefix } from '../../src/model/address.ts';
import { Refusal } from '../../src/model/refusal.ts';
import { refusalOf } from '../support/refused.ts';

const POOLS = ['123.45.90.112/29', '123.45.53.11', '2001:db8:12:48::/64', '2001:db8:12:4900::/56'].map(
  parsePrefix,
);
const NOTHING = { holdings: [], own: [], host: [], peers: [], interfaces: new Set<string>(), routed: [] };

const near = (wanted: string, ...used: string[]): string | undefined => {
  const found = nearestFree(parsePrefix(wanted), POOLS, { ...NOTHING, own: used.map(parsePrefix) }, []);
  return found && format(found);
};

describe('the nearest free address', () => {
  it('is the next one, or else the one before', () => {
    expect(near('123.45.90.116', '123.45.90.116')).to.equal('123.45.90.117');
    expect(near('123.45.90.116', '123.45.90.116/31')).to.equal('123.45.90.115');
    expect(near('123.45.90.119', '123.45.90.119')).to.equal('123.45.90.118');
    expect(near('2001:db8:12:48::1', '2001:db8:12:48::1')).to.equal('2001:db8:12:48::2');
  });

  it('is in the same pool, and not the anycast address of its routers', () => {
    expect(near('123.45.90.119', '123.45.90.112/29')).to.equal(undefined);
    expect(near('123.45.53.11', '123.45.53.11')).to.equal(undefined);
    expect(near('2001:db8:12:48::1', '2001:db8:12:48::1', '2001:db8:12:48::2')).to.equal('2001:db8:12:48::3');
  });

  it('is a subnet of the same size for a subnet', () => {
    expect(near('123.45.90.112/30', '123.45.90.114')).to.equal('123.45.90.116/30');
    expect(near('2001:db8:12:4901::/64', '2001:db8:12:4901::5')).to.equal('2001:db8:12:4902::/64');
  });

  it('is none for what is free, and for what is in no pool', () => {
    expect(near('123.45.90.116', '123.45.90.117')).to.equal(undefined);
    expect(near('9.9.9.9', '9.9.9.9')).to.equal(undefined);
  });

  it('is not one that is reserved', () => {
    const [wanted, next] = ['123.45.90.116', '123.45.90.117'].map(parsePrefix);
    const found = wanted && next && nearestFree(wanted, POOLS, { ...NOTHING, own: [wanted] }, [next]);
    expect(found && format(found)).to.equal('123.45.90.115');
  });

  it('stands behind the refusal of the first that is not free', () => {
    const wanted = ['123.45.90.113', '123.45.90.116'].map(parsePrefix);
    const refuse = (): never => {
      throw new Refusal('Cannot assign 123.45.90.116: no');
    };
    const taken = { ...NOTHING, own: [parsePrefix('123.45.90.116')] };
    expect(refusalOf(() => withWayOut(wanted, POOLS, taken, [], refuse))).to.equal(
      'Cannot assign 123.45.90.116: no; the nearest free one is 123.45.90.117',
    );
    expect(refusalOf(() => withWayOut(wanted, POOLS, NOTHING, [], refuse))).to.equal(
      'Cannot assign 123.45.90.116: no',
    );
  });
});
