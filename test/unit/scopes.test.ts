import { expect } from 'chai';
import fc from 'fast-check';
import { freeRange, refuseScope, type Use, usesOf, usesOfDocker } from '../../src/assign/scopes.ts';
import { format, parsePrefix, parseSubnet } from '../../src/model/address.ts';
import { linkAlias } from '../../src/model/names.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { overlaps } from '../../src/model/prefix.ts';
import { uuidOf } from '../support/domain.ts';
import { link, routes } from './doctor-host.ts';
import { refusalOf } from './refusal.ts';

const uses = (...ranges: readonly string[]): Use[] =>
  ranges.map(text => ({ prefix: parseSubnet(text), by: text }));
const free = (...ranges: readonly string[]): string | undefined => {
  const found = freeRange(uses(...ranges));
  return found && format(found);
};

describe('the range that scopes come from', () => {
  it('is 172.30.0.0/16, or another where something uses that', () => {
    expect(free()).to.equal('172.30.0.0/16');
    expect(free('172.29.0.0/16', '10.0.0.0/8', '192.168.0.0/16')).to.equal('172.30.0.0/16');
    for (const one of ['172.30.0.0/16', '172.30.9.0/24', '172.30.9.9/32', '172.16.0.0/12', '128.0.0.0/1'])
      expect(free(one), one).to.equal('10.30.0.0/16');
    expect(free('172.30.0.0/16', '10.30.0.0/15')).to.equal('10.32.0.0/16');
    expect(free('172.30.0.0/16', '10.0.0.0/8')).to.equal('172.16.0.0/16');
    expect(free('172.16.0.0/12', '10.0.0.0/8')).to.equal(undefined);
  });

  it('meets nothing that is in use, whatever that is, and is a /16 of private space', () => {
    const used = fc.tuple(
      fc.constantFrom('10', '172', '192'),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 9, max: 32 }),
    );
    fc.assert(
      fc.property(fc.array(used, { maxLength: 60 }), parts => {
        const all = uses(...parts.map(([first, second, length]) => `${first}.${second}.7.9/${length}`));
        const range = freeRange(all);
        if (range === undefined) return;
        expect(range.length).to.equal(16);
        expect(all.some(({ prefix }) => overlaps(prefix, range))).to.equal(false);
      }),
    );
  });

  it("is kept from routes and addresses of others, and not from hnet's own", () => {
    const network = {
      links: new Map([
        ['br116', link({ kind: 'bridge', alias: linkAlias(uuidOf('vm1')) })],
        ['docker0', link({ kind: 'bridge' })],
        ['eth1', link({ up: false })],
      ]),
      routes: routes(
        ['0.0.0.0/0', 'eth0'],
        ['128.0.0.0/1', 'tun0'],
        ['172.30.116.0/24', 'br116'],
        ['172.17.0.0/16', 'docker0'],
      ),
      addresses: new Map([
        ['br116', ['172.30.116.1/24']],
        ['eth1', ['10.30.0.7/24', 'fd00::1/64']],
      ]),
    };
    expect(usesOf(network).map(({ by }) => by)).to.deep.equal([
      'the route 172.17.0.0/16 to docker0',
      '10.30.0.0/24 on eth1',
    ]);
  });

  it('is kept from what Docker may take', () => {
    expect(usesOfDocker(false, '')).to.deep.equal([]);
    const range = (settings: string) => {
      const found = freeRange(usesOfDocker(true, settings));
      return found && format(found);
    };
    expect(range('')).to.equal('10.30.0.0/16');
    expect(range('{ "default-address-pools": [{ "base": "10.9.0.0/16", "size": 24 }] }')).to.equal(
      '172.30.0.0/16',
    );
    expect(range('{ "bip": "172.30.0.1/24" }')).to.equal('10.30.0.0/16');
    // It is docker0's alone: the networks of docker compose come from Docker's own pools.
    expect(range('{ "bip": "192.168.9.1/24" }')).to.equal('10.30.0.0/16');
    const pools = '"default-address-pools": [{ "base": "10.9.0.0/16", "size": 24 }]';
    expect(range(`{ "bip": "10.30.0.1/24", ${pools} }`)).to.equal('172.30.0.0/16');
    expect(range(`{ "bip": "172.30.0.1/24", ${pools} }`)).to.equal('10.30.0.0/16');
    expect(range('no JSON')).to.equal('10.30.0.0/16');
  });
});

describe('a scope that the operator chooses', () => {
  const config = parseConfig('pools = ["123.45.90.112/29", "10.5.0.0/24"]');
  const address = {
    prefix: parsePrefix('123.45.90.117'),
    bridge: 'br117',
    scope: parsePrefix('10.8.0.0/24'),
  };
  const taken = {
    holdings: [{ domain: uuidOf('vm2'), name: 'vm2', address }],
    own: [parsePrefix('10.4.0.2')],
    peers: [],
    host: [],
    interfaces: new Set<string>(),
    routed: [parsePrefix('10.6.0.0/16')],
  };
  const choose = (scope: string, bridge = 'br116') => refuseScope(parsePrefix(scope), bridge, taken, config);

  it('is private, and nobody else has it', () => {
    for (const [scope, why] of [
      [
        '9.9.9.0/24',
        /^Cannot use --scope 9\.9\.9\.0\/24: it is neither in "scopes" of hnet\.toml nor private/,
      ],
      ['10.6.9.0/24', /: the host routes 10\.6\.0\.0\/16 elsewhere; choose another$/],
      ['10.5.0.0/28', /: it meets 10\.5\.0\.0\/24, of the pools/],
      ['10.4.0.0/24', /: it meets 10\.4\.0\.2, of the pools/],
      ['10.8.0.128/25', /: "vm2" has 10\.8\.0\.0\/24 on br117; choose another$/],
    ] as const)
      expect(refusalOf(() => choose(scope)).message, scope).to.match(why);
    for (const scope of ['10.7.0.0/24', '192.168.7.0/29', '172.30.9.0/24', '100.64.0.0/16']) choose(scope);
    choose('10.8.0.0/25', 'br117');
  });
});
