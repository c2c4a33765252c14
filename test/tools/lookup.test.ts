import { expect } from 'chai';
import type { Firewall } from '../../src/firewall/rules/backend.ts';
import { observeStart } from '../../src/host/observe/start.ts';
import { parseAddress, parsePrefix } from '../../src/model/address.ts';
import { DEFAULT_CONFIG } from '../../src/model/parse-config.ts';
import { ElsewhereHost } from './elsewhere.ts';

const POOLS = ['123.45.90.112/29', '123.45.53.11', '2001:db8:12:48::/64'].map(parsePrefix);
const SETUP = `
ip link set lo up
ip link add eth0 type veth peer name other
ip link add br0 type bridge
ip link set eth0 up
ip link set other up
ip link set br0 up
ip address add 123.45.12.48/24 dev eth0
ip address add 2001:db8:1::2/64 dev eth0 nodad
`;
const UP = `
ip route replace default via 123.45.12.1
ip -6 route replace default via 2001:db8:1::1
ip route replace blackhole 123.45.90.112/29 metric 1000000 proto 104
ip route replace blackhole 123.45.53.11/32 metric 1000000 proto 104
ip -6 route replace unreachable 2001:db8:12:48::/64 metric 200 proto 104`;
const FOUR = ['123.45.90.112/29 1000000', '123.45.53.11/32 1000000'];
const SIX = '2001:db8:12:48::/64 200';

/** What is done to the host, and the pools' routes that a start then sees. */
const CASES: Readonly<Record<string, readonly [script: string, seen: readonly string[]]>> = {
  'all routes': ['', [...FOUR, SIX]],
  'no route of a subnet': ['ip route delete blackhole 123.45.90.112/29', [FOUR[1] ?? '', SIX]],
  'no route of an address': ['ip route delete blackhole 123.45.53.11', [FOUR[0] ?? '', SIX]],
  'no route of IPv6': ['ip -6 route delete unreachable 2001:db8:12:48::/64', FOUR],
  'no route at all': [
    `ip route flush root 123.45.0.0/16 type blackhole; ip -6 route delete unreachable 2001:db8:12:48::/64
     ip route delete default; ip -6 route delete default`,
    [],
  ],
  'routes that end otherwise': [
    `ip route replace unreachable 123.45.90.112/29 metric 1000000; ip route replace prohibit 123.45.53.11 metric 1000000
     ip -6 route replace blackhole 2001:db8:12:48::/64 metric 200`,
    [],
  ],
  "a domain's route that hides a pool's": [
    'ip route add 123.45.90.119 dev br0; ip -6 route add 2001:db8:12:48:ffff:ffff:ffff:ffff dev br0',
    [...FOUR, SIX],
  ],
};

describe('a lookup in a pool', () => {
  let host: ElsewhereHost;
  beforeEach(async () => {
    host = await ElsewhereHost.create(SETUP);
    host.run(['sh', '-ec', UP]);
  });
  afterEach(() => host?.end());

  for (const [what, [script, seen]] of Object.entries(CASES)) {
    it(`sees ${what}`, () => {
      host.run(['sh', '-ec', script]);
      const [address, gateway] = [parseAddress('123.45.12.48'), parseAddress('123.45.12.1')];
      const [main] = DEFAULT_CONFIG.uplinks;
      const uplink = { ...main, devices: ['eth0'], addresses: [address], gateways: [gateway], pools: POOLS };
      const given = { ...DEFAULT_CONFIG, pools: POOLS, uplinks: [uplink] as const };
      const { view } = observeStart(host, NO_FILTER, given, { bridges: [], prefixes: [], isAnswered: false });
      expect([...view.routes.keys()]).to.have.members(seen);
    });
  }
});

const NO_FILTER = {
  looks: { brief: { commands: [], parse: () => ({ sets: new Map(), chains: new Map() }) } },
  sufficesForStart: () => true,
} as unknown as Firewall;
