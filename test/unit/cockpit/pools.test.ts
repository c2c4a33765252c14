import { expect } from 'chai';
import { readLine } from '../../../cockpit/src/model/lines.ts';
import {
  cellsOf,
  columnsOf,
  countStates,
  listOf,
  partsOf,
  poolView,
} from '../../../cockpit/src/model/pools.ts';
import { after, NOTHING } from '../../../cockpit/src/model/seen.ts';
import { lineOf, sampleAway, sampleDomain, sampleState } from './samples.ts';

const pool = (text: string) => ({ pool: text, size: 0, free: 0, assigned: 0, up: 0, reserved: 0 });

function parts(domains: readonly object[], keptBack: object, elsewhere: readonly object[] | null = null) {
  const line = readLine(
    lineOf(sampleState(domains, { keptBack: { own: [], reservations: [], ...keptBack }, elsewhere })),
  );
  const state = line && after(NOTHING, line).state;
  if (state === undefined) throw new Error('the line has no state');
  return partsOf(state);
}

const PARTS = parts(
  [
    sampleDomain({ number: 1, name: 'up', addresses: ['123.45.90.113'] }),
    sampleDomain({ number: 2, name: 'off', addresses: ['123.45.90.114'], state: 'stopped' }),
    sampleDomain({ number: 3, name: 'ill', addresses: ['123.45.90.116/31'], faults: ['route: missing'] }),
    sampleDomain({ number: 4, name: 'six', addresses: ['2001:db8:12:48::116', '2001:db8:12:49::/64'] }),
  ],
  {
    own: [
      { address: '123.45.90.112', interface: 'eth0', host: null },
      { address: '2001:db8:12:48::', interface: null, host: null },
    ],
    reservations: [
      { address: '123.45.90.119', name: 'shop', since: '2026-11-20T10:00:00Z' },
      { address: '123.45.90.113', name: 'up', since: '2026-11-20T10:00:00Z' },
    ],
  },
);

describe('the cells of a pool', () => {
  it('are eight of a /29, in one line, each with its state and whose it is', () => {
    const cells = cellsOf('123.45.90.112/29', PARTS);
    expect(
      cells.map(({ address, state, holder }) => [address.slice(-3), state, holder?.domain]),
    ).to.deep.equal([
      ['112', 'reserved', undefined],
      ['113', 'up', 'up'],
      ['114', 'assigned', 'off'],
      ['115', 'free', undefined],
      ['116', 'faulty', 'ill'],
      ['117', 'faulty', 'ill'],
      ['118', 'free', undefined],
      ['119', 'reserved', undefined],
    ]);
    expect(columnsOf(cells.length)).to.equal(8);
    expect(countStates(cells)).to.deep.equal({
      free: 2,
      assigned: 1,
      up: 1,
      faulty: 2,
      reserved: 2,
      moving: 0,
      elsewhere: 0,
    });
  });

  it('say what a subnet is a part of, and for whom an address is kept, whoever has it', () => {
    const [own, up, , , ill, , , kept] = cellsOf('123.45.90.112/29', PARTS);
    expect(own?.own).to.deep.equal({ interface: 'eth0', host: null });
    expect(up?.reservation?.name).to.equal('up');
    expect(ill?.holder?.held).to.equal('123.45.90.116/31');
    expect(kept?.reservation?.name).to.equal('shop');
  });

  it('are sixteen by sixteen of a /24, and of a larger pool those of one part', () => {
    expect(cellsOf('123.45.53.0/24', PARTS)).to.have.length(256);
    expect(columnsOf(256)).to.equal(16);
    expect(poolView(pool('123.45.53.0/24')).blocks).to.deep.equal(['123.45.53.0/24']);
    const { blocks } = poolView(pool('10.20.0.0/22'));
    expect(blocks).to.deep.equal(['10.20.0.0/24', '10.20.1.0/24', '10.20.2.0/24', '10.20.3.0/24']);
    expect(poolView(pool('10.0.0.0/16')).blocks).to.have.length(256);
  });

  it('are none of IPv6, and of what is larger than anybody looks through: what is held is a list', () => {
    expect(poolView(pool('2001:db8:12:48::/64')).blocks).to.deep.equal([]);
    expect(poolView(pool('10.0.0.0/8')).blocks).to.deep.equal([]);
    expect(
      listOf('2001:db8:12:48::/63', PARTS).map(({ address, holder }) => [address, holder?.domain]),
    ).to.deep.equal([
      ['2001:db8:12:48::', undefined],
      ['2001:db8:12:48::116', 'six'],
      ['2001:db8:12:49::/64', 'six'],
    ]);
  });

  it('tell what other hosts of the cluster have, and what is on its way between two', () => {
    const own = (name: string, number: number, state: 'stopped' | 'leaving') =>
      sampleDomain({ number, name, addresses: [`123.45.90.${112 + number}`], state });
    const away = sampleAway({ number: 3, name: 'away', host: 'h2', addresses: ['123.45.90.115'] });
    const copy = sampleAway({ number: 2, name: 'copy', host: 'h3', addresses: ['123.45.90.114'] });
    const all = [own('goes', 1, 'leaving'), own('copy', 2, 'stopped')];
    const cells = cellsOf('123.45.90.112/29', parts(all, {}, [away, copy]));
    expect(cells.slice(1, 4).map(({ state, holder }) => [state, holder?.domain, holder?.host])).to.deep.equal(
      [
        ['moving', 'goes', undefined],
        ['elsewhere', 'copy', 'h3'],
        ['elsewhere', 'away', 'h2'],
      ],
    );
  });

  it('is one of a single address', () => {
    expect(cellsOf('123.45.53.11', PARTS).map(({ address, state }) => [address, state])).to.deep.equal([
      ['123.45.53.11', 'free'],
    ]);
  });
});
