import { expect } from 'chai';
import { iptables } from '../../src/firewall/iptables/iptables.ts';
import { parseAddress, parsePrefix } from '../../src/model/address.ts';
import type { DhcpConfig } from '../../src/model/config.ts';
import type { DhcpMode } from '../../src/model/dhcp-mode.ts';
import { OPEN } from '../../src/model/policy.ts';
import { EMPTY_VIEW } from '../../src/model/view.ts';
import { domainPlan } from '../../src/plan/plan.ts';
import { configuration, type DhcpService, staleLeases } from '../../src/resources/dhcp-config.ts';

const [ONE, TWO] = ['52:54:00:00:00:01', '52:54:00:00:00:02'];
const DHCP: DhcpConfig = {
  mode: 'bootstrap',
  scopes: [parsePrefix('172.30.0.0/16')],
  dns: ['9.9.9.9', '2620:fe::fe', '149.112.112.112'].map(parseAddress),
  domain: 'lan',
  lease: 3600,
  boot: { server: undefined, file: undefined, ipxe: undefined },
  ntp: [],
};

interface Case {
  readonly scope?: string;
  readonly addresses?: readonly string[];
  readonly privates?: readonly string[];
  readonly prefixes6?: readonly string[];
  readonly macs?: readonly string[];
  readonly dhcp?: Partial<DhcpConfig>;
  readonly boot?: string;
}

const serviceFor = (
  mode: DhcpMode,
  { addresses, privates = [], macs, boot, prefixes6 = [] }: Case = {},
): DhcpService => ({
  mode,
  hostname: 'vm1',
  addresses: (addresses ?? ['123.45.90.116']).map(parseAddress),
  privates: privates.map(parseAddress),
  hasIpv4: true,
  prefixes6: prefixes6.map(parsePrefix),
  macs: macs ?? [ONE],
  boot,
  mtu: 1500,
});

function textFor(mode: DhcpMode, one: Case = {}) {
  const { scope = '172.30.116.0/24', dhcp } = one;
  const service = serviceFor(mode, one);
  const spec = { name: 'br116', domain: '', scope: parsePrefix(scope), prefixes: service.prefixes6 };
  return configuration(spec, service, { ...DHCP, ...dhcp });
}

/** The lines that begin with one of these words. */
const lines = (text: string | undefined, ...keys: readonly string[]): string[] =>
  (text ?? '').split('\n').filter(line => keys.some(key => line.startsWith(key)));

/** What boot ROMs get where the system gets the public address. */
const ROM_RANGE = 'dhcp-range=tag:rom,172.30.116.10,172.30.116.200,255.255.255.0,120';

/** How each mode differs; what dnsmasq and real clients make of it is in test/tools/dhcp-clients.test.ts. */
describe("the configuration of a bridge's DHCP server", () => {
  it('in the bootstrap mode hands out private addresses of the scope, and no public one', () => {
    expect(textFor('bootstrap')).to.equal(`# written by hnet
port=0
interface=br116
except-interface=lo
bind-interfaces
no-hosts
no-resolv
no-ping
dhcp-authoritative
quiet-dhcp
pid-file
dhcp-leasefile=/var/lib/hnet/leases/br116.leases
dhcp-range=172.30.116.10,172.30.116.200,255.255.255.0,3600
dhcp-option=option:router,172.30.116.1
dhcp-option=option:dns-server,9.9.9.9,149.112.112.112
dhcp-option=12,vm1
dhcp-option=option:mtu,1500
domain=lan
`);
  });

  it('in the public mode hands the address to its interface as a /32, with both kinds of routes', () => {
    const text = textFor('public');
    expect(lines(text, 'shared-network', 'dhcp-range')).to.deep.equal([
      ROM_RANGE,
      'shared-network=br116,123.45.90.116',
      'dhcp-range=tag:!rom,123.45.90.116,static,255.255.255.255,3600',
    ]);
    expect(lines(text, 'dhcp-host')).to.deep.equal([`dhcp-host=${ONE},tag:!rom,123.45.90.116`]);
    // The on-link route first, for the default route leads over it.
    expect(lines(text, 'dhcp-option=tag:!rom,option:classless', 'dhcp-option=option:router')).to.deep.equal([
      'dhcp-option=tag:!rom,option:classless-static-route,172.30.116.1/32,0.0.0.0,0.0.0.0/0,172.30.116.1',
      'dhcp-option=option:router,172.30.116.1',
    ]);
    const rest = (one: string | undefined) =>
      (one ?? '')
        .split('\n')
        .filter(
          line =>
            !/^(shared-network|dhcp-range|dhcp-host|dhcp-match|dhcp-vendorclass|dhcp-userclass)|classless/.test(
              line,
            ),
        );
    expect(rest(text)).to.deep.equal(rest(textFor('bootstrap')));
  });

  describe('says to boot ROMs', () => {
    const boot = { server: undefined, file: 'undionly.kpxe', ipxe: 'http://203.0.113.5/boot.ipxe' };
    const said = (one: Case, mode: DhcpMode = 'bootstrap') => lines(textFor(mode, one), 'dhcp-boot');
    for (const mode of ['bootstrap', 'public'] as const)
      it(`in the mode ${mode} what to load, and something else to iPXE`, () => {
        expect(said({ dhcp: { boot } }, mode)).to.deep.equal([
          'dhcp-boot=tag:rom,tag:!ipxe,undionly.kpxe,,172.30.116.1',
          'dhcp-boot=tag:ipxe,http://203.0.113.5/boot.ipxe,,172.30.116.1',
        ]);
      });

    it('from which server', () => {
      expect(
        said({ dhcp: { boot: { ...boot, server: parseAddress('10.0.0.5'), ipxe: undefined } } }),
      ).to.deep.equal(['dhcp-boot=tag:rom,tag:!ipxe,undionly.kpxe,,10.0.0.5']);
    });

    it('what a domain says itself, iPXE too', () => {
      expect(said({ dhcp: { boot }, boot: 'rescue.ipxe' })).to.deep.equal([
        'dhcp-boot=tag:rom,tag:!ipxe,rescue.ipxe,,172.30.116.1',
        'dhcp-boot=tag:ipxe,rescue.ipxe,,172.30.116.1',
      ]);
    });

    it('nothing where nobody says anything', () => {
      expect(said({}, 'public')).to.deep.equal([]);
      expect(textFor('bootstrap')).not.to.match(/rom|ipxe/i);
    });
  });

  it('names time servers, of each family', () => {
    const ntp = ['203.0.113.123', '2001:db8::123', '203.0.113.124'].map(parseAddress);
    expect(
      lines(textFor('public', { dhcp: { ntp }, prefixes6: ['2001:db8:12:48::116'] }), 'dhcp-option'),
    ).to.include.members([
      'dhcp-option=option:ntp-server,203.0.113.123,203.0.113.124',
      'dhcp-option=option6:ntp-server,[2001:db8::123]',
    ]);
  });

  it('is none in the mode off', () => {
    expect(textFor('off')).to.equal(undefined);
  });

  it('gives each of several interfaces the address in its place, and none to those beyond', () => {
    const addresses = ['123.45.90.116', '123.45.90.117'];
    const served = (macs: readonly string[], given = addresses) => {
      const text = textFor('public', { addresses: given, macs });
      return [lines(text, 'dhcp-host'), lines(text, 'dhcp-range')];
    };
    expect(served([ONE, TWO])).to.deep.equal([
      [`dhcp-host=${ONE},tag:!rom,123.45.90.116`, `dhcp-host=${TWO},tag:!rom,123.45.90.117`],
      [ROM_RANGE, ...addresses.map(ip => `dhcp-range=tag:!rom,${ip},static,255.255.255.255,3600`)],
    ]);
    expect(served([ONE, TWO], ['123.45.90.116'])).to.deep.equal([
      [`dhcp-host=${ONE},tag:!rom,123.45.90.116`],
      [ROM_RANGE, 'dhcp-range=tag:!rom,123.45.90.116,static,255.255.255.255,3600'],
    ]);
  });

  it('leases one interface the first of several addresses, for a lease holds no more', () => {
    const text = textFor('public', { addresses: ['123.45.90.116', '123.45.90.117'] });
    expect(text).to.contain(`dhcp-host=${ONE},tag:!rom,123.45.90.116`).and.not.contain('123.45.90.117');
  });

  it('knows which leases are in the way of a public address: those that another interface has', () => {
    const addresses = ['123.45.90.116', '123.45.90.117', '123.45.90.11'];
    const stale = new RegExp(staleLeases(serviceFor('public', { addresses, macs: [ONE, TWO] })) ?? 'none');
    const lease = (mac: string, ip: string) => `1795647473 ${mac} ${ip} * 01:${mac}`;
    for (const [mac, ip, away] of [
      [ONE, '123.45.90.116', false],
      [TWO, '123.45.90.116', true],
      ['52:54:00:00:00:03', '123.45.90.117', true],
      [TWO, '123.45.90.117', false],
      // Of these nothing is handed out.
      [TWO, '123.45.90.11', false],
      [TWO, '123.45.90.118', false],
      [TWO, '172.30.116.77', false],
    ] as const)
      expect(stale.test(lease(mac, ip)), lease(mac, ip)).to.equal(away);
    expect(stale.test('1795647473 1234 2001:db8:12:48::116 vm1 00:01')).to.equal(false);
    expect(staleLeases(serviceFor('bootstrap'))).to.equal(undefined);
    expect(staleLeases(serviceFor('public', { macs: [] }))).to.equal(undefined);
  });

  it('serves whoever asks where the interfaces are not known: nobody else is on the wire', () => {
    const text = textFor('public', { macs: [] });
    expect(lines(text, 'dhcp-range', 'dhcp-host')).to.deep.equal([
      ROM_RANGE,
      'dhcp-range=tag:!rom,123.45.90.116,123.45.90.116,255.255.255.255,3600',
    ]);
  });

  for (const [scope, range, router] of [
    ['172.30.0.0/28', '172.30.0.2,172.30.0.14,255.255.255.240', '172.30.0.1'],
    ['172.30.0.16/28', '172.30.0.18,172.30.0.30,255.255.255.240', '172.30.0.17'],
    ['10.0.0.8/29', '10.0.0.10,10.0.0.14,255.255.255.248', '10.0.0.9'],
    ['10.1.0.0/16', '10.1.0.10,10.1.0.200,255.255.0.0', '10.1.0.1'],
  ] as const) {
    it(`keeps to the scope ${scope}, its gateway and broadcast address left out`, () => {
      const text = textFor('bootstrap', { scope });
      expect(lines(text, 'dhcp-range')).to.deep.equal([`dhcp-range=${range},3600`]);
      expect(lines(text, 'dhcp-option=option:router')).to.deep.equal([`dhcp-option=option:router,${router}`]);
    });
  }

  describe('of IPv6', () => {
    const [SINGLE, OTHER] = ['2001:db8:12:48::116', '2001:db8:12:49::7'];
    const ranges = (text: string | undefined) =>
      lines(text, 'shared-network', 'dhcp-range=2', 'dhcp-range=f');

    it('leases a single address to its MAC, in every mode, with advertisements for the route', () => {
      for (const mode of ['bootstrap', 'public'] as const) {
        const text = textFor(mode, { prefixes6: [SINGLE] });
        expect(ranges(text).slice(-3)).to.deep.equal([
          'dhcp-range=fd68:6e:ac1e:7400::,static,64,120',
          'shared-network=br116,2001:db8:12:48::',
          'dhcp-range=2001:db8:12:48::,static,64,120',
        ]);
        const ipv4 = mode === 'public' ? 'tag:!rom,123.45.90.116,' : '';
        expect(lines(text, 'dhcp-host')).to.deep.equal([`dhcp-host=${ONE},${ipv4}[${SINGLE}],vm1`]);
        expect(lines(text, 'enable-ra', 'ra-param')).to.deep.equal([
          'enable-ra',
          'ra-param=br116,mtu:1500,600,1800',
        ]);
      }
      expect(textFor('off', { prefixes6: [SINGLE] })).to.equal(undefined);
    });

    it('advertises a whole /64 for autoconfiguration, and leases nothing of it', () => {
      const text = textFor('bootstrap', { prefixes6: ['2001:db8:12:4901::/64'] });
      expect(ranges(text)).to.deep.equal(['dhcp-range=2001:db8:12:4901::,ra-stateless,64,3600']);
      expect(lines(text, 'dhcp-host')).to.deep.equal([]);
    });

    it("leases the second address of any other prefix, for the first is every router's", () => {
      const text = textFor('bootstrap', { prefixes6: ['2001:db8:12:48:1::/80'] });
      expect(lines(text, 'dhcp-host')).to.deep.equal([`dhcp-host=${ONE},[2001:db8:12:48:1::1],vm1`]);
    });

    it('gives each interface the address in its place', () => {
      const text = textFor('bootstrap', { prefixes6: [SINGLE, OTHER], macs: [ONE, TWO] });
      expect(lines(text, 'dhcp-host')).to.deep.equal([
        `dhcp-host=${ONE},[${SINGLE}],vm1`,
        `dhcp-host=${TWO},[${OTHER}]`,
      ]);
      expect(ranges(text).filter(line => line.endsWith('static,64,120'))).to.have.length(3);
    });

    it('serves whoever asks where the interfaces are not known', () => {
      const text = textFor('bootstrap', { prefixes6: [SINGLE], macs: [] });
      expect(ranges(text).at(-1)).to.equal(`dhcp-range=${SINGLE},${SINGLE},64,120`);
    });

    it('gives a domain without a public IPv4 address the private lease in the public mode', () => {
      const text = textFor('public', { addresses: [], prefixes6: [SINGLE] });
      expect(lines(text, 'dhcp-range=1')).to.deep.equal([
        'dhcp-range=172.30.116.10,172.30.116.200,255.255.255.0,3600',
      ]);
    });

    it('names servers of its family, and advertises as often as a short lease needs it', () => {
      const text = textFor('bootstrap', { prefixes6: [SINGLE], dhcp: { lease: 120 } });
      expect(lines(text, 'dhcp-option=option6', 'ra-param')).to.deep.equal([
        'ra-param=br116,mtu:1500,40,1800',
        'dhcp-option=option6:dns-server,[2620:fe::fe]',
        'dhcp-option=option6:domain-search,lan',
      ]);
    });
  });

  it('names no server where the configuration has none of its family', () => {
    for (const dns of [[], [parseAddress('2620:fe::fe')]])
      for (const mode of ['bootstrap', 'public'] as const)
        expect(textFor(mode, { dhcp: { dns } })).not.to.match(/dns-server|2620/);
  });

  for (const mode of ['bootstrap', 'public'] as const)
    it(`carries the name of the domain, made safe, as the host name of a ${mode} lease`, () => {
      const address = {
        prefix: parseAddress('123.45.90.116'),
        bridge: 'br116',
        scope: parsePrefix('172.30.116.0/24'),
      };
      const wanted = { domain: '', name: 'Büro $(id)', addresses: [address], policy: OPEN, dhcp: mode };
      const written = domainPlan(wanted, DHCP, iptables([4]))
        .flatMap(resource => resource.up(EMPTY_VIEW))
        .map(action => JSON.stringify(action, (_, value) => (typeof value === 'bigint' ? '' : value)));
      expect(written.join('\n')).to.contain('dhcp-option=12,buro-id\\n').and.not.contain('$(id)');
    });

  it("carries the configuration's domain name and time of the lease", () => {
    const text = textFor('bootstrap', { dhcp: { domain: 'example.org', lease: 120 } });
    expect(text)
      .to.contain('\ndomain=example.org\n')
      .and.match(/^dhcp-range=.*,120$/m);
  });
});
