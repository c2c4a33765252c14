import { expect } from 'chai';
import {
  refuseForeignAddresses,
  refuseForeignScopes,
  refuseTakenScopes,
} from '../../src/lifecycle/admission.ts';
import { parsePrefix } from '../../src/model/address.ts';
import type { Address } from '../../src/model/bridge.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { ownAddresses } from '../../src/model/uplink.ts';
import type { Route } from '../../src/model/view.ts';
import { refusalOf } from '../support/refused.ts';
import { UPLINK } from '../support/uplink.ts';

const OWN = ownAddresses([UPLINK]);
const CONFIG = parseConfig('pools = ["123.45.90.112/29", "123.45.53.11"]');
const ADDRESS: Address = {
  prefix: parsePrefix('123.45.90.116'),
  bridge: 'br116',
  scope: parsePrefix('172.30.116.0/24'),
};

describe('admission', () => {
  it('lets in what the pools hold, whole or in part', () => {
    for (const text of [
      '123.45.90.112',
      '123.45.90.119',
      '123.45.90.112/29',
      '123.45.90.116/30',
      '123.45.53.11',
    ])
      refuseForeignAddresses([parsePrefix(text)], CONFIG, OWN);
  });

  for (const [text, why] of [
    [
      '123.45.90.111',
      /^123\.45\.90\.111 is outside the pools \(123\.45\.90\.112\/29, 123\.45\.53\.11\); add its subnet to "pools"/,
    ],
    ['123.45.90.112/28', /is outside the pools/],
    ['2001:db8::1', /is outside the pools/],
    ['123.45.12.48', /^123\.45\.12\.48 is the host's or the gateway's own address$/],
    ['123.45.12.1', /^123\.45\.12\.1 is the host's or the gateway's own address$/],
    [
      '123.45.12.0/24',
      /^123\.45\.12\.0\/24 contains 123\.45\.12\.48, the host's or the gateway's own address$/,
    ],
    ['0.0.0.0/0', /^0\.0\.0\.0\/0 contains 123\.45\.12\.48, the host's/],
  ] as const) {
    it(`refuses ${text}`, () => {
      expect(refusalOf(() => refuseForeignAddresses([parsePrefix(text)], CONFIG, OWN))).to.match(why);
    });
  }

  it('refuses a pool that holds the host, once the default route has told who that is', () => {
    const config = parseConfig('pools = ["123.45.12.0/24"]');
    const act = () => refuseForeignAddresses([parsePrefix('123.45.12.77')], config, OWN);
    expect(refusalOf(act)).to.match(
      /the pool contains 123\.45\.12\.48, the host's or the gateway's own address$/,
    );
  });

  it('says so where there are no pools', () => {
    const act = () => refuseForeignAddresses([ADDRESS.prefix], parseConfig('pools = []'), OWN);
    expect(refusalOf(act)).to.contain('(none are configured)');
  });

  for (const [prefix, dev] of [
    ['172.30.0.0/16', 'docker0'],
    ['172.16.0.0/12', 'wg0'],
    ['172.30.116.0/24', 'docker0'],
    ['172.30.116.128/25', 'vpn0'],
    ['172.30.116.1', 'docker0'],
  ] as const) {
    it(`refuses a scope where the host routes ${prefix} elsewhere`, () => {
      const said = refusalOf(() => refuseTakenScopes([ADDRESS], [route(prefix, dev)]));
      expect(said).to.contain(`scope 172.30.116.0/24 collides with the host's route ${prefix} to ${dev}; `);
    });
  }

  it('minds no default route, no half of one, no other scope, and not its own bridge', () => {
    const harmless = [
      route('0.0.0.0/0', 'eth0'),
      route('0.0.0.0/1', 'tun0'),
      route('128.0.0.0/1', 'tun0'),
      route('172.30.117.0/24', 'br117'),
      route('172.30.116.0/24', 'br116'),
    ];
    refuseTakenScopes([ADDRESS], harmless);
  });

  const scoped = (text: string): Address => ({ ...ADDRESS, scope: parsePrefix(text) });

  for (const text of [
    '9.9.9.0/24',
    '127.0.0.0/24',
    '169.254.169.0/24',
    '224.0.0.0/24',
    '172.32.0.0/16',
    '0.0.0.0/16',
  ])
    it(`refuses the scope ${text}, which isn't the operator's to give`, () => {
      expect(refusalOf(() => refuseForeignScopes([ADDRESS, scoped(text)], CONFIG))).to.equal(
        `scope ${text} of 123.45.90.116 is neither in "scopes" of hnet.toml (172.30.0.0/16) nor private (RFC 1918, RFC 6598); run hnet unassign, then hnet assign`,
      );
    });

  it('lets in what is private, and what the configuration names', () => {
    const config = parseConfig('pools = []\n[dhcp]\nscopes = ["198.18.0.0/16"]');
    for (const text of ['10.1.2.0/24', '192.168.0.0/16', '172.16.0.0/29', '100.64.7.0/24', '198.18.3.0/24'])
      refuseForeignScopes([scoped(text)], config);
  });
});

function route(prefix: string, dev: string): Route {
  return {
    prefix: parsePrefix(prefix),
    type: 'unicast',
    dev,
    gateway: undefined,
    protocol: 'kernel',
    metric: 0,
  };
}
