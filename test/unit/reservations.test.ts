import { expect } from 'chai';
import { freeAddresses } from '../../src/assign/allocate.ts';
import { freeOf, occupancy, poolUse } from '../../src/assign/pools.ts';
import { withReservation } from '../../src/assign/reserve.ts';
import type { Taken } from '../../src/assign/taken.ts';
import { format, parsePrefix } from '../../src/model/address.ts';
import { type Reservation, refuseKept } from '../../src/model/reservation.ts';
import { refusalOf } from './refusal.ts';

const POOLS = ['123.45.90.112/29', '2001:db8:12:48::/64'].map(parsePrefix);
const kept = (address: string, name?: string): Reservation => ({
  address: parsePrefix(address),
  name,
  since: '2026-11-28T17:03:45.000Z',
});
const taken = (holdings: readonly (readonly [address: string, name: string])[] = []): Taken => ({
  holdings: holdings.map(([address, name]) => ({
    domain: 'c64804ab-817f-4cb6-af52-3d0ee8b51463',
    name,
    address: { prefix: parsePrefix(address), bridge: 'br1', scope: parsePrefix('172.30.1.0/24') },
  })),
  own: [parsePrefix('123.45.90.113')],
  peers: [{ host: 'h2', address: parsePrefix('123.45.90.115') }],
  host: [],
  interfaces: new Set(),
  routed: [],
});
const given = (name: string, reservations: readonly Reservation[], all = taken()): string[] =>
  freeAddresses(POOLS, all, reservations, name).map(format);

describe('reservations', () => {
  const FOR_WEB = [
    kept('123.45.90.116', 'web'),
    kept('123.45.90.112'),
    kept('2001:db8:12:48::112/127', 'web'),
  ];

  it('give a domain of the name what is kept for it, of each family', () => {
    expect(given('web', FOR_WEB)).to.deep.equal(['123.45.90.116', '2001:db8:12:48::112/127']);
    expect(given('web', FOR_WEB.slice(0, 1))).to.deep.equal(['123.45.90.116', '2001:db8:12:48::116']);
    expect(given('web', FOR_WEB, taken([['123.45.90.116', 'web']]))).to.deep.equal([
      '123.45.90.114',
      '2001:db8:12:48::112/127',
    ]);
  });

  it('keep it from all others', () => {
    expect(given('mail', FOR_WEB)).to.deep.equal(['123.45.90.114', '2001:db8:12:48::114']);
    const refused = (address: string, name: string) =>
      refusalOf(() => refuseKept([parsePrefix(address)], name, FOR_WEB)).message;
    expect(refused('123.45.90.116', 'mail')).to.equal(
      '123.45.90.116 is reserved for "web"; hnet reserve --delete 123.45.90.116 gives it up',
    );
    expect(refused('123.45.90.116/30', 'mail')).to.contain('is reserved with 123.45.90.116 for "web"');
    expect(refused('123.45.90.112', 'web')).to.contain('is reserved and given to nobody');
    refuseKept([parsePrefix('123.45.90.116')], 'web', FOR_WEB);
  });

  const add = (one: Reservation, all: readonly Reservation[] = [], held = taken()) =>
    withReservation(one, all, { pools: POOLS }, held);

  it('are made of what is in the pools and nobody else has', () => {
    expect(add(kept('123.45.90.116', 'mail'), FOR_WEB).map(({ name }) => name)).to.deep.equal([
      undefined,
      'web',
      'mail',
    ]);
    add(kept('123.45.90.116', 'web'), [], taken([['123.45.90.116', 'web']]));
    for (const [one, held, why] of [
      [kept('123.45.91.1', 'web'), taken(), /outside the pools/],
      [kept('123.45.90.113', 'web'), taken(), /the host or its gateway has it/],
      [kept('123.45.90.115', 'web'), taken(), /h2 has it itself/],
      [
        kept('123.45.90.116', 'web'),
        taken([['123.45.90.116/30', 'mail']]),
        /domain "mail" holds 123.45.90.116\/30/,
      ],
      [
        kept('123.45.90.116'),
        taken([['123.45.90.116', 'web']]),
        /domain "web" holds 123.45.90.116; hnet unassign/,
      ],
      [kept('123.45.90.116/30', 'mail'), taken(), /overlaps 123.45.90.116, which is reserved for "web"/],
    ] as const)
      expect(refusalOf(() => add(one, one.name === 'mail' ? FOR_WEB : [], held)).message).to.match(why);
  });

  it('are no free addresses of a pool, but for what a domain has of them', () => {
    const held = taken([['123.45.90.116', 'web']]);
    const use = poolUse(parsePrefix('123.45.90.112/29'), held, new Map(), [kept('123.45.90.116/30', 'web')]);
    expect(occupancy(use)).to.deep.equal({ size: 8n, free: 2n, assigned: 1n, up: 0n, reserved: 5n });
    expect([...freeOf(use)].map(format)).to.deep.equal(['123.45.90.112', '123.45.90.114']);
    expect(
      use.uses.map(({ prefix, reservation }) => `${format(prefix)} ${reservation?.name ?? '-'}`),
    ).to.deep.equal([
      '123.45.90.113 -',
      '123.45.90.115 -',
      '123.45.90.116 -',
      '123.45.90.117 web',
      '123.45.90.118/31 web',
    ]);
  });
});
