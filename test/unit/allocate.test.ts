import { expect } from 'chai';
import { freeAddresses, refuseHeld } from '../../src/assign/allocate.ts';
import { freeScope } from '../../src/assign/free-scope.ts';
import { freeBridge, pin } from '../../src/assign/pin.ts';
import { privateAddress } from '../../src/assign/private.ts';
import type { Taken } from '../../src/assign/taken.ts';
import { format, parsePrefix } from '../../src/model/address.ts';
import type { Address } from '../../src/model/bridge.ts';
import { INTERFACE_NAME } from '../../src/model/names.ts';
import { addresses, overlaps, type Prefix } from '../../src/model/prefix.ts';
import { refusalOf } from '../support/refused.ts';

const SUBNET = parsePrefix('123.45.90.112/29');
const SCOPES = [parsePrefix('172.30.0.0/16')];

interface Given {
  readonly held?: readonly string[];
  readonly own?: readonly string[];
  /** On an interface of the host. */
  readonly host?: readonly string[];
  readonly interfaces?: readonly string[];
  readonly routed?: readonly string[];
}

function taken({ held = [], own = [], host = [], interfaces = [], routed = [] }: Given = {}): Taken {
  const all: Taken = {
    holdings: [],
    own: own.map(parsePrefix),
    peers: [],
    host: host.map(text => ({ address: parsePrefix(text), length: 24, device: 'eth1' })),
    interfaces: new Set(interfaces),
    routed: routed.map(parsePrefix),
  };
  return held.reduce((sum, text) => hold(sum, pin(parsePrefix(text), SCOPES, sum, undefined)), all);
}

const hold = (all: Taken, address: Address): Taken => ({
  ...all,
  holdings: [...all.holdings, { domain: 'c64804ab-817f-4cb6-af52-3d0ee8b51463', name: 'vm1', address }],
});

/** Of pools with one family, the one address. */
const freeAddress = (pools: readonly Prefix[], all: Taken): Prefix => freeAddresses(pools, all)[0] as Prefix;

describe('allocate', () => {
  it('takes the first free address, the first of the subnet included', () => {
    expect(format(freeAddress([SUBNET], taken()))).to.equal('123.45.90.112');
    expect(format(freeAddress([SUBNET], taken({ held: ['123.45.90.112', '123.45.90.114'] })))).to.equal(
      '123.45.90.113',
    );
  });

  it('takes the first private address that the host itself has not', () => {
    const scope = parsePrefix('172.30.5.0/29');
    const given = (...host: string[]) => privateAddress(SCOPES, taken({ host }), undefined, scope).prefix;
    expect(format(given())).to.equal('172.30.5.2');
    expect(format(given('172.30.5.2', '172.30.5.4'))).to.equal('172.30.5.3');
    const all = [2, 3, 4, 5, 6].map(last => `172.30.5.${last}`);
    expect(refusalOf(() => given(...all))).to.contain(
      'the host itself has all from 172.30.5.2 to 172.30.5.6',
    );
  });

  it('takes the last address too, and then says that nothing is left', () => {
    const all = [...addresses(SUBNET)].map(format);
    expect(format(freeAddress([SUBNET], taken({ held: all.slice(0, 7) })))).to.equal('123.45.90.119');
    expect(refusalOf(() => freeAddress([SUBNET], taken({ held: all })))).to.equal(
      'Cannot assign an address: all of the pools (123.45.90.112/29) are taken',
    );
    expect(refusalOf(() => freeAddress([], taken()))).to.contain('(none)');
  });

  it("passes over the host's own addresses and whole subnets that are held, on to the next pool", () => {
    const [first, second] = [parsePrefix('123.45.90.112/30'), parsePrefix('123.45.90.116/30')];
    const all = taken({
      own: ['123.45.90.112', '123.45.90.116'],
      held: ['123.45.90.114/31', '123.45.90.113'],
    });
    expect(format(freeAddress([first, second], all))).to.equal('123.45.90.117');
    const busy = { ...all, host: taken({ host: ['123.45.90.117'] }).host };
    expect(format(freeAddress([first, second], busy))).to.equal('123.45.90.118');
  });

  it('names the domain that holds an address, or a part of it, or more than it', () => {
    const all = taken({ held: ['123.45.90.116', '123.45.53.8/30'] });
    expect(refusalOf(() => refuseHeld(parsePrefix('123.45.90.116'), 'other', all))).to.equal(
      'Cannot assign 123.45.90.116: domain "vm1" holds it; hnet unassign releases it',
    );
    expect(refusalOf(() => refuseHeld(parsePrefix('123.45.53.9'), 'other', all))).to.contain(
      'holds it as part of 123.45.53.8/30',
    );
    expect(refusalOf(() => refuseHeld(SUBNET, 'other', all))).to.contain('domain "vm1" holds');
    refuseHeld(parsePrefix('123.45.90.116'), 'c64804ab-817f-4cb6-af52-3d0ee8b51463', all);
    refuseHeld(parsePrefix('123.45.90.117'), 'other', all);
  });

  it('gives two addresses with one last octet different bridges and scopes', () => {
    const first = pin(parsePrefix('123.45.53.12'), SCOPES, taken(), undefined);
    const second = pin(parsePrefix('123.45.90.12'), SCOPES, hold(taken(), first), undefined);
    expect([first.bridge, format(first.scope)]).to.deep.equal(['br12', '172.30.12.0/24']);
    expect(second.bridge).to.equal('br90-12');
    expect(overlaps(first.scope, second.scope)).to.equal(false);
  });

  it('lets further addresses of a domain share its bridge', () => {
    const first = pin(parsePrefix('123.45.53.12'), SCOPES, taken(), undefined);
    const second = pin(parsePrefix('123.45.90.13'), SCOPES, hold(taken(), first), first);
    expect(second).to.deep.equal({ ...first, prefix: parsePrefix('123.45.90.13') });
  });

  it("keeps off other software's interfaces and routes", () => {
    const all = taken({ interfaces: ['br116'], routed: ['172.30.116.0/25', '172.30.117.0/24'] });
    expect(freeBridge(parsePrefix('123.45.90.116'), all)).to.equal('br90-116');
    expect(format(freeScope(parsePrefix('123.45.90.116'), SCOPES, all))).to.equal('172.30.0.0/24');
    expect(format(freeScope(parsePrefix('123.45.90.118'), SCOPES, all))).to.equal('172.30.118.0/24');
    const full = taken({ interfaces: ['br116', 'br90-116', 'br45-90-116'], routed: [] });
    expect(freeBridge(parsePrefix('123.45.90.116'), full)).to.match(INTERFACE_NAME);
  });

  it('numbers scopes by the last octet in other ranges too', () => {
    const ranges = ['10.30.0.0/16', '10.31.0.0/16'].map(parsePrefix);
    const address = parsePrefix('123.45.90.116');
    expect(format(freeScope(address, ranges, taken()))).to.equal('10.30.116.0/24');
    expect(format(freeScope(address, ranges, taken({ routed: ['10.30.116.0/24'] })))).to.equal(
      '10.31.116.0/24',
    );
    expect(format(freeScope(address, [...ranges, ...SCOPES], taken()))).to.equal('172.30.116.0/24');
    const small = parsePrefix('10.9.0.0/20');
    expect(format(freeScope(address, [small, parsePrefix('10.9.16.0/20')], taken()))).to.equal('10.9.0.0/24');
  });

  it('takes a scope that the operator has chosen', () => {
    const scope = parsePrefix('10.77.0.0/28');
    expect(pin(parsePrefix('123.45.90.116'), [], taken(), undefined, scope).scope).to.equal(scope);
  });

  it('says where to find more scopes when there are none', () => {
    const all = taken({ routed: ['172.16.0.0/12'] });
    expect(refusalOf(() => freeScope(parsePrefix('123.45.90.116'), SCOPES, all))).to.equal(
      'Cannot find a free bootstrap scope in 172.30.0.0/16: add a range to "scopes" in hnet.toml',
    );
  });

  it('serves 400 addresses from one /16: all bridges named apart, no scope in another', () => {
    const pools = ['198.51.100.0/24', '203.0.113.0/24'].map(parsePrefix);
    let all = taken({ own: ['198.51.100.1'] });
    for (let count = 0; count < 400; count++) {
      all = hold(all, pin(freeAddress(pools, all), SCOPES, all, undefined));
    }
    const held = all.holdings.map(({ address }) => address);
    expect(new Set(held.map(({ prefix }) => format(prefix))).size).to.equal(400);
    expect(new Set(held.map(({ bridge }) => bridge)).size).to.equal(400);
    for (const { bridge } of held) expect(bridge).to.match(INTERFACE_NAME);
    expect(firstOverlap(held.map(({ scope }) => scope))).to.equal(undefined);
    for (const { scope } of held) expect(overlaps(scope, SCOPES[0] ?? scope)).to.equal(true);
  });
});

/** Among sorted ranges only neighbours can overlap. */
function firstOverlap(ranges: readonly Prefix[]): Prefix | undefined {
  const sorted = ranges.toSorted((a, b) => (a.first < b.first ? -1 : 1));
  return sorted.find((one, index) => index > 0 && overlaps(sorted[index - 1] ?? one, one));
}
