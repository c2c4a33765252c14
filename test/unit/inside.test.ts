import { expect } from 'chai';
import fc from 'fast-check';
import { ruleset } from '../../src/firewall/rules/ruleset.ts';
import { isDoubtful, whyNever } from '../../src/firewall/rules/unmatched.ts';
import { toRoutesOf, withoutOutward } from '../../src/host/observe/ip.ts';
import { format, parsePrefix } from '../../src/model/address.ts';
import { insideNets, outermost, scopesApart, without } from '../../src/model/inside.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { contains, overlaps, type Prefix } from '../../src/model/prefix.ts';
import { parseRule } from '../../src/model/rule.ts';
import type { Link, Route } from '../../src/model/view.ts';
import { prefix } from '../support/arbitrary.ts';
import { UPLINK } from '../support/uplink.ts';

const link = (alias = ''): Link => ({
  index: 1,
  alias,
  group: 0,
  kind: '',
  mac: '',
  up: true,
  mtu: 1500,
  carrier: true,
  arp: true,
  port: undefined,
  master: undefined,
  bridge: undefined,
});
const route = (text: string, dev: string | undefined, more: Partial<Route> = {}): Route => ({
  prefix: parsePrefix(text),
  type: 'unicast',
  dev,
  gateway: undefined,
  protocol: 'boot',
  metric: 0,
  ...more,
});

const UUID = '11111111-1111-4111-8111-111111111111';
const VIEW = {
  links: new Map([
    ['lo', link()],
    ['eth0', link()],
    ['br116', link(`hnet ${UUID}`)],
    ['docker0', link()],
    ['wg0', link()],
  ]),
  addresses: new Map([
    ['lo', ['127.0.0.1/8', '::1/128']],
    ['eth0', ['123.45.12.48/24', '2001:db8:12:48::2/64']],
    ['br116', ['172.30.116.1/24']],
    ['docker0', ['172.17.0.1/16', 'fe80::5/64', 'fd17::1/64']],
    ['wg0', ['10.9.0.1/32']],
  ]),
  configured: [
    route('10.9.0.2', 'wg0'),
    route('172.17.5.0/24', 'docker0'),
    route('192.168.5.0/24', 'wg0'),
    route('192.168.6.0/24', 'eth0'),
    route('192.168.7.0/24', undefined, { hops: [{ dev: 'wg0', gateway: undefined }] }),
    route('192.168.8.0/24', undefined, { type: 'unreachable' }),
    route('0.0.0.0/1', 'wg0'),
  ],
};

describe("the host's other networks", () => {
  it('are behind interfaces that are no uplinks, no bridges of ours, and not lo', () => {
    expect(insideNets(4, [UPLINK], VIEW).map(format)).to.deep.equal([
      '10.9.0.2',
      '172.17.0.0/16',
      '192.168.5.0/24',
      '192.168.7.0/24',
    ]);
    expect(insideNets(6, [UPLINK], VIEW).map(format)).to.deep.equal(['fd17::/64']);
  });

  const nets = fc.array(prefix, { maxLength: 12 });

  it('never hold one another: a set of nftables would refuse them', () => {
    fc.assert(
      fc.property(nets, all => {
        const kept = outermost(all);
        expect(
          kept.some((one, at) => kept.some((other, place) => at !== place && overlaps(one, other))),
        ).to.equal(false);
        expect(all.every(one => kept.some(net => contains(net, one)))).to.equal(true);
      }),
    );
  });

  it('are without the ranges of domains that lie in them', () => {
    fc.assert(
      fc.property(nets, nets, (some, ranges) => {
        const left = without(some, ranges);
        const isOdd = (net: Prefix): boolean =>
          ranges.some(range => contains(net, range) && !contains(range, net));
        expect(left.some(isOdd)).to.equal(false);
      }),
    );
  });
});

describe('subnets of bridges of domains', () => {
  it("are told of where they lie in no range, without the host's own address", () => {
    const owned = link('hnet 11111111-2222-3333-4444-555555555555');
    const apart = scopesApart([parsePrefix('172.30.0.0/16')], {
      links: new Map([
        ['br7', owned],
        ['br8', owned],
        ['docker0', link()],
      ]),
      addresses: new Map([
        ['br7', ['10.50.1.1/24', '123.45.12.48/0', 'fe80::1/64', 'fd00::1/64']],
        ['br8', ['172.30.8.1/24']],
        ['docker0', ['172.17.0.1/16']],
      ]),
    });
    expect(apart.map(format)).to.deep.equal(['10.50.1.0/24']);
  });
});

describe('packets from these networks', () => {
  // Their way back may be another than the one they came: that is no fault of theirs.
  it('are suspected only under sources of domains, however many pools there are', () => {
    for (const count of [1, 12]) {
      const pools = Array.from({ length: count }, (_, index) => `123.45.${index}.0/24`);
      const config = parseConfig(`pools = ${JSON.stringify(pools)}\n`);
      const [scopes] = config.dhcp.scopes;
      const [entrance] = ruleset(4, config, [UPLINK], 'raw').chains.raw;
      const suspecting = (entrance?.rules ?? []).filter(
        ({ verdict }) => 'chain' in verdict && /^hnet-(inside|ranges)$/.test(verdict.chain),
      );
      const sets = suspecting.flatMap(({ when }) =>
        when.flatMap(match => (match.is === 'set' ? [match] : [])),
      );
      expect(sets.map(match => [match.name, 'not' in match && match.not])).to.deep.equal(
        count === 1
          ? [['hnet4-scopes', false]]
          : [
              ['hnet4-near', false],
              ['hnet4-kept', true],
              ['hnet4-scopes', false],
            ],
      );
      // What `kept` holds are the scopes, too. After them come those of domains outside of the configuration.
      expect(suspecting.at(-2)?.when).to.deep.equal([{ is: 'net', side: 'source', prefix: scopes }]);
    }
  });
});

describe('a rule that matches nothing', () => {
  const config = parseConfig('pools = ["123.45.90.112/29"]\n');
  const why = (text: string, view = VIEW): string | undefined => {
    const rule = parseRule(text);
    return isDoubtful(rule) ? whyNever(rule, config, [UPLINK], view) : undefined;
  };

  for (const from of ['10.44.0.0/16', '192.168.9.0/24', '172.16.0.0/16', 'fd99::/16', '100.64.1.1'])
    it(`is one from ${from}, which is private and not here`, () =>
      expect(why(`allow tcp/22 from ${from}`)).to.match(/is private, and no interface or route/));
  for (const from of ['127.0.0.1', '224.0.0.0/4', 'fe80::/64', '::1'])
    it(`is one from ${from}`, () => expect(why(`deny from ${from}`)).to.match(/^no packet from outside/));
  for (const from of [
    '10.9.0.0/24',
    '10.0.0.0/8',
    '172.17.0.2',
    '172.30.117.0/24',
    '192.168.5.5',
    '192.168.6.7',
    '198.51.100.0/24',
    '0.0.0.0/0',
    '::/0',
    'fd17::2',
  ])
    it(`isn't one from ${from}`, () => expect(why(`allow tcp/22 from ${from}`)).to.equal(undefined));
  it("isn't an outbound one, nor any where the host has a private address itself", () => {
    expect(why('outbound deny to 10.44.0.0/16')).to.equal(undefined);
    const addresses = new Map([...VIEW.addresses, ['eth0', ['192.168.1.10/24']]] as const);
    expect(why('allow tcp/22 from 10.44.0.0/16', { ...VIEW, addresses })).to.equal(undefined);
  });
});

describe('configured routes', () => {
  it('that leave by an uplink are passed over, unless they lead to a private network', () => {
    const answers = [
      { dst: '20.1.0.0/16', gateway: '123.45.12.1', dev: 'eth0', flags: [] },
      { dst: '2a00:1::/32', gateway: 'fe80::1', dev: 'eth0', flags: [] },
      { dst: '10.0.0.0/8', gateway: '123.45.12.1', dev: 'eth0', flags: [] },
      { dst: 'default', gateway: '123.45.12.1', dev: 'eth0', flags: [] },
      { dst: '20.2.0.0/16', dev: 'wg0', flags: [] },
      { dst: '20.3.0.0/16', nexthops: [{ dev: 'wg0' }, { dev: 'wg1' }], flags: [] },
    ];
    const kept = toRoutesOf('boot', withoutOutward(answers, ['eth0'])).map(({ route: { prefix: one } }) =>
      format(one),
    );
    expect(kept).to.deep.equal(['10.0.0.0/8', '0.0.0.0/0', '20.2.0.0/16', '20.3.0.0/16']);
  });
});
