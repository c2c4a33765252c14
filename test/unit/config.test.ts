import { expect } from 'chai';
import fc from 'fast-check';
import { format, parsePrefix } from '../../src/model/address.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { hostile } from '../support/arbitrary.ts';
import { doneOrRefused, refusalOf } from '../support/refused.ts';

const FILE = '/etc/hnet/hnet.toml';

describe('config', () => {
  it('is small at its smallest', () => {
    const config = parseConfig('pools = ["123.45.90.112/29"]\n');
    expect(config.pools.map(format)).to.deep.equal(['123.45.90.112/29']);
    expect(config.uplinks).to.have.length(1);
    expect(config.uplinks[0]).to.deep.include({ devices: [], addresses: [], gateways: [] });
    expect(config.dhcp).to.deep.include({ mode: 'bootstrap', domain: 'lan', lease: 3600 });
    expect(config.dhcp.scopes.map(format)).to.deep.equal(['172.30.0.0/16']);
    expect(config.dhcp.dns.map(format)).to.deep.equal([
      '9.9.9.9',
      '149.112.112.112',
      '2620:fe::fe',
      '2620:fe::9',
    ]);
    expect(config.uplinks[0].delivery).to.deep.equal({ 4: 'routed', 6: 'routed' });
    expect(config.firewall.betweenDomains).to.equal(true);
  });

  it('reads further uplinks, each with what is its own', () => {
    const { uplinks, pools } = parseConfig(`
      pools = ["123.45.90.112/29"]
      uplink = ["eth0", "eth1"]
      [[uplinks]]
      device = "eth0.4000"
      address = ["203.0.113.2", "2001:db8:113::2"]
      gateway = "203.0.113.1"
      pools = ["203.0.113.0/28"]
      ipv4 = "on-link"
      mtu = 1400`);
    expect(uplinks[0].devices).to.deep.equal(['eth0', 'eth1']);
    expect(uplinks[1]).to.deep.include({
      devices: ['eth0.4000'],
      mtu: 1400,
      delivery: { 4: 'on-link', 6: 'routed' },
    });
    expect(uplinks[1]?.addresses.map(format)).to.deep.equal(['203.0.113.2', '2001:db8:113::2']);
    expect(pools.map(format)).to.deep.equal(['123.45.90.112/29', '203.0.113.0/28']);
  });

  it('reads every key', () => {
    const config = parseConfig(`
      pools = ["123.45.90.112/29", "123.45.53.11"]
      uplink = "eth0"
      host = "123.45.12.48"
      gateway = "123.45.12.1"
      mtu = 1400
      [dhcp]
      mode = "bootstrap"
      scopes = ["172.30.0.0/16", "10.5.0.0/20"]
      dns = ["213.133.98.98"]
      domain = "example.org"
      lease = "30m"
      boot_server = "203.0.113.5"
      boot_file = "undionly.kpxe"
      ipxe = "http://203.0.113.5/\${net0/mac}.ipxe"
      ntp = ["203.0.113.6", "2001:db8::6"]
      [firewall]
      between_domains = false`);
    expect(config.pools.map(format)).to.deep.equal(['123.45.90.112/29', '123.45.53.11']);
    const [{ devices, addresses, gateways }] = config.uplinks;
    expect(devices).to.deep.equal(['eth0']);
    expect([...addresses, ...gateways].map(format)).to.deep.equal(['123.45.12.48', '123.45.12.1']);
    expect(config.mtu).to.equal(1400);
    expect(config.dhcp.scopes.map(format)).to.deep.equal(['172.30.0.0/16', '10.5.0.0/20']);
    expect(config.dhcp).to.deep.include({ domain: 'example.org', lease: 1800 });
    const { boot, ntp } = config.dhcp;
    expect({ ...boot, server: boot.server && format(boot.server) }).to.deep.equal({
      server: '203.0.113.5',
      file: 'undionly.kpxe',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is iPXE's word for the MAC
      ipxe: 'http://203.0.113.5/${net0/mac}.ipxe',
    });
    expect(ntp.map(format)).to.deep.equal(['203.0.113.6', '2001:db8::6']);
    expect(config.firewall.betweenDomains).to.equal(false);
  });

  it('reads what domains may not reach: ports or subnets, and private destinations but for some', () => {
    const { firewall } = parseConfig(`pools = []
      [firewall]
      outbound_deny = ["tcp/25", "198.18.0.0/15", "2001:db8::/32"]
      private_destinations = ["10.0.0.0/8", "fd00::/8"]`);
    expect(firewall.outboundDeny).to.deep.equal([
      { protocol: 'tcp', ranges: [[25, 25]] },
      ...['198.18.0.0/15', '2001:db8::/32'].map(parsePrefix),
    ]);
    expect(firewall.privateDestinations).to.deep.equal(['10.0.0.0/8', 'fd00::/8'].map(parsePrefix));
    const choices = ['drop', 'allow'].map(
      word => parseConfig(`pools = []\n[firewall]\nprivate_destinations = "${word}"`).firewall,
    );
    expect(choices.map(one => one.privateDestinations)).to.deep.equal(['drop', 'allow']);
    expect(parseConfig('pools = []').firewall.privateDestinations).to.equal(undefined);
  });

  for (const [what, text, place, why] of [
    ...['"deny"', '5', '["10.0.0.1/8"]', '["none"]'].map(
      value =>
        [
          `private destinations of ${value}`,
          `pools = []\n[firewall]\nprivate_destinations = ${value}`,
          'line 3, key "firewall.private_destinations"',
          /not "drop", "allow" or a list|has host bits set|is not an IP address/,
        ] as const,
    ),
    [
      'denied words',
      'pools = []\n[firewall]\noutbound_deny = ["tcp/25", "smtp"]',
      'line 3, key "firewall.outbound_deny"',
      /^"smtp"[: ].*is not icmp/,
    ],
    [
      'a newer version',
      'pools = []\nversion = 2\nwhatever = 1',
      'line 2, key "version"',
      /^it is of version 2, and this hnet reads version 1; install a newer hnet$/,
    ],
    [
      'no version',
      'version = 0\npools = []',
      'line 1, key "version"',
      /^not 1, the version that this hnet reads$/,
    ],
    ['an unknown key', 'pools = []\npolls = []', 'line 2, key "polls"', /unknown key$/],
    [
      'an unknown key of a table',
      'pools = []\n\n[dhcp]\nleese = "1h"',
      'line 4, key "dhcp.leese"',
      /unknown key$/,
    ],
    ['an unknown table', 'pools = []\n[dhpc]\nlease = "1h"', 'line 2, key "dhpc"', /unknown key$/],
    ['a missing key', '# nothing', 'line 1, key "pools"', /./],
    ...['1279', '9217', '1400.5', '"1400"', 'true'].map(
      value =>
        [
          `${value} as MTU`,
          `pools = []\nmtu = ${value}`,
          'line 2, key "mtu"',
          /is not a number of bytes from 1280 to 9216; without the key bridges take as much as the uplink$/,
        ] as const,
    ),
    ['a number for a text', 'pools = []\nhost = 5', 'line 2, key "host"', /./],
    ['a text for a list', 'pools = "123.45.90.112/29"', 'line 1, key "pools"', /./],
    [
      'a text for a switch',
      'pools = []\n[firewall]\nbetween_domains = "yes"',
      'line 3, key "firewall.between_domains"',
      /./,
    ],
    ['no address', 'pools = []\nhost = "here"', 'line 2, key "host"', /^"here" is not an IP address/],
    [
      'a pool with host bits',
      'pools = [\n  "123.45.53.11",\n  "123.45.90.116/29",\n]',
      'line 3, key "pools"',
      /^"123\.45\.90\.116\/29" has host bits set/,
    ],
    [
      'overlapping pools',
      'pools = [\n"123.45.90.112/29",\n"123.45.90.116"\n]',
      'line 3, key "pools"',
      /overlaps the pool 123\.45\.90\.112\/29$/,
    ],
    [
      'a pool twice',
      'pools = ["123.45.90.116", "123.45.90.116"]',
      'line 1, key "pools"',
      /overlaps the pool 123\.45\.90\.116$/,
    ],
    [
      'a pool that holds the host',
      'host = "123.45.12.48"\npools = [\n"123.45.90.112/29",\n"123.45.12.0/24"]',
      'line 4, key "pools"',
      /contains 123\.45\.12\.48, the host's or the gateway's own address$/,
    ],
    [
      'a pool that holds the gateway',
      'gateway = "123.45.12.1"\npools = ["123.45.12.0/29"]',
      'line 2, key "pools"',
      /contains 123\.45\.12\.1, /,
    ],
    [
      'a pool among the scopes',
      'pools = ["172.30.5.0/24"]',
      'line 1, key "pools"',
      /overlaps the bootstrap scopes 172\.30\.0\.0\/16$/,
    ],
    [
      'an unknown mode',
      'pools = []\n[dhcp]\nmode = "magic"',
      'line 3, key "dhcp.mode"',
      /^"magic": not "bootstrap", "public" or "off"/,
    ],
    [
      'scopes too small',
      'pools = []\n[dhcp]\nscopes = "172.30.0.0/30"',
      'line 3, key "dhcp.scopes"',
      /^"172\.30\.0\.0\/30" is not an IPv4 subnet of \/8 to \/28/,
    ],
    [
      'scopes of IPv6',
      'pools = []\n[dhcp]\nscopes = ["fd00::/64"]',
      'line 3, key "dhcp.scopes"',
      /is not an IPv4 subnet/,
    ],
    [
      'a boot server of IPv6',
      'pools = []\n[dhcp]\nboot_server = "2001:db8::5"',
      'line 3, key "dhcp.boot_server"',
      /^"2001:db8::5" is an IPv6 address; boot ROMs are served in IPv4$/,
    ],
    ...['a,b', 'a b', 'a"b', "a'b", 'a\\\\b', '#a', '-a', 'tag:a', 'set:a', ''].flatMap(file =>
      ['boot_file', 'ipxe'].map(
        key =>
          [
            `${file} as ${key}`,
            `pools = []\n[dhcp]\n${key} = '${file}'`.replace("'a'b'", `"a'b"`),
            `line 3, key "dhcp.${key}"`,
            /is not a file's name or a URL such as boot\.ipxe or http:\/\/203/,
          ] as const,
      ),
    ),
    [
      'a boot file with 128 characters',
      `pools = []\n[dhcp]\nboot_file = "${'a'.repeat(128)}"`,
      'line 3, key "dhcp.boot_file"',
      /has 128 characters, and DHCP takes 127; use a shorter one$/,
    ],
    [
      'a time server by name',
      'pools = []\n[dhcp]\nntp = ["pool.ntp.org"]',
      'line 3, key "dhcp.ntp"',
      /is not an IP address/,
    ],
    [
      "an inside network's interface that is none",
      'pools = []\n[firewall]\ninside = ["wg0", "a/b"]',
      'line 3, key "firewall.inside"',
      /^"a\/b": not an interface name/,
    ],
    [
      'an inside network at the uplink',
      'pools = []\nuplink = "eth0"\n[firewall]\ninside = "eth0"',
      'line 4, key "firewall.inside"',
      /it is an uplink$/,
    ],
    [
      'a lease of no unit',
      'pools = []\n[dhcp]\nlease = "60"',
      'line 3, key "dhcp.lease"',
      /^"60" is not a time/,
    ],
    [
      'a lease that dnsmasq refuses',
      'pools = []\n[dhcp]\nlease = "90s"',
      'line 3, key "dhcp.lease"',
      /^"90s" is not a time of at least 2m/,
    ],
    [
      'a domain with an option behind it',
      'pools = []\n[dhcp]\ndomain = "lan\\nport=53"',
      'line 3, key "dhcp.domain"',
      /not a domain name$/,
    ],
    [
      'an uplink that is none',
      'pools = []\nuplink = "-eth0"',
      'line 2, key "uplink"',
      /not an interface name$/,
    ],
    [
      'an interface that is two uplinks',
      'pools = []\nuplink = "eth0"\n[[uplinks]]\ndevice = "eth0"\npools = []',
      'line 4, key "uplinks.device"',
      /"eth0": it is an uplink already$/,
    ],
    [
      'a further uplink whose pool is taken',
      'pools = ["123.45.90.112/29"]\n[[uplinks]]\ndevice = "eth1"\npools = [\n  "203.0.113.0/28",\n  "123.45.90.116",\n]',
      'line 6, key "uplinks.pools"',
      /123\.45\.90\.116.*overlaps the pool 123\.45\.90\.112\/29$/,
    ],
    [
      'a further uplink with a misspelt key',
      'pools = []\n[[uplinks]]\ndevice = "eth1"\npool = []',
      'line 4, key "uplinks.pool"',
      /unknown key$/,
    ],
    [
      'a further uplink with two gateways of one family',
      'pools = []\n[[uplinks]]\ndevice = "eth1"\ngateway = ["203.0.113.1", "203.0.113.2"]\npools = []',
      'line 4, key "uplinks.gateway"',
      /two of one family$/,
    ],
    [
      'a further uplink with an MTU of nothing',
      'pools = []\n[[uplinks]]\ndevice = "eth1"\npools = []\nmtu = 68',
      'line 5, key "uplinks.mtu"',
      /68 is not a number of bytes from 1280 to 9216/,
    ],
  ] as const) {
    it(`is refused with ${what}, its file, line and key named`, () => {
      const said = refusalOf(() => parseConfig(text));
      const start = `Cannot use ${FILE}, ${place}: `;
      expect(said.slice(0, start.length)).to.equal(start);
      expect(said.slice(start.length)).to.match(why);
    });
  }

  for (const [what, text, line, key] of [
    ['a dotted key', '# mode\npools = []\ndhcp.domain = "lan"\ndhcp.mode = "magic"', 4, 'dhcp.mode'],
    ['a quoted key', 'pools = []\n[dhcp]\n"mode" = "magic"', 3, 'dhcp.mode'],
    ['a quoted table', `pools = []\n\n[ 'dhcp' ]\nmode = "magic"`, 4, 'dhcp.mode'],
    ['an inline table', 'pools = []\n# mode = x\ndhcp = { domain = "lan", mode = "magic" }', 3, 'dhcp.mode'],
    [
      'a key whose name stands in another table before',
      'pools = []\n[firewall]\n# [dhcp]\n[dhcp]\nmode="x"',
      5,
      'dhcp.mode',
    ],
    ['a value that stands in a comment before', 'pools = [\n# "10.0.0.1/8"\n\n  "10.0.0.1/8"]', 4, 'pools'],
    ['a quoted key that holds a dot', 'pools = []\n"dhcp.mode" = "magic"', 2, 'dhcp.mode'],
    ['a value that is the end of another', 'pools = [\n  "11.2.3.4",\n  "1.2.3.4/8",\n]', 3, 'pools'],
    ['a literal string', "pools = [\n  '1.2.3.4',\n  '1.2.3.5/8',\n]", 3, 'pools'],
    ['lines of Windows', 'pools = []\r\n[dhcp]\r\nmode = "magic"\r\n', 3, 'dhcp.mode'],
    ['a table where a text belongs', 'pools = []\n[host]\nx = 1', 2, 'host'],
  ] as const)
    it(`is refused with the line of ${what}`, () => {
      expect(refusalOf(() => parseConfig(text))).to.contain(`, line ${line}, key "${key}": `);
    });

  it('is refused with its line where it is no TOML', () => {
    expect(refusalOf(() => parseConfig('pools = []\n\nhost = \n'))).to.match(
      /^Cannot use \/etc\/hnet\/hnet\.toml, line 3: \S/,
    );
    expect(refusalOf(() => parseConfig('pools = ['))).to.match(
      /^Cannot use \/etc\/hnet\/hnet\.toml, line 1: \S/,
    );
    expect(refusalOf(() => parseConfig('host = "1.2.3.4"\nhost = "1.2.3.4"'))).to.match(/, line \d: \S/);
    expect(refusalOf(() => parseConfig('x', '/tmp/other.toml'))).to.match(
      /^Cannot use \/tmp\/other\.toml, line 1: /,
    );
  });

  it('never fails in another way, whatever it reads', () => {
    fc.assert(fc.property(hostile, text => doneOrRefused(() => parseConfig(text))));
    fc.assert(
      fc.property(hostile, text => doneOrRefused(() => parseConfig(`pools = [${JSON.stringify(text)}]`))),
    );
    fc.assert(fc.property(fc.json(), text => doneOrRefused(() => parseConfig(`pools = []\ndhcp = ${text}`))));
  });
});
