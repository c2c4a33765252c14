import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { cloudInitV1 } from '../../src/guest/cloud-init.ts';
import { type Format, printFiles } from '../../src/guest/file.ts';
import { GUEST_FORMATS, pickFormat, printNetwork } from '../../src/guest/formats.ts';
import { freebsd } from '../../src/guest/freebsd.ts';
import { ifupdown } from '../../src/guest/ifupdown.ts';
import { networkmanager } from '../../src/guest/networkmanager.ts';
import { openbsd } from '../../src/guest/openbsd.ts';
import { windows } from '../../src/guest/windows.ts';
import { UsageRefusal } from '../../src/model/refusal.ts';
import { AROUND, networkFor } from './guest-fixture.ts';

const BOTH = networkFor([['123.45.90.116', '123.45.90.117', '2001:db8:12:48::116']]);
const SIX = networkFor([['2001:db8:12:48::116']]);
const TWO = networkFor([['123.45.90.116'], ['123.45.90.118']]);

const MTU = 'smaller packets are said where the system reads them:';
const SMALL = networkFor([['123.45.90.116', '2001:db8:12:48::116']], [], { ...AROUND, mtuFor: () => 1400 });
const SMALL6 = networkFor([['2001:db8:12:48::116']], [], { ...AROUND, mtuFor: () => 1400 });

/** The parts that no program of Debian's can check (test/tools runs the others for real). */
describe('guest formats', () => {
  const said: readonly [string, string | undefined, string][] = [
    [
      'FreeBSD',
      freebsd(SMALL)[0]?.text,
      'ifconfig_vtnet0="inet 123.45.90.116 netmask 255.255.255.255 mtu 1400"',
    ],
    [
      'FreeBSD without IPv4',
      freebsd(SMALL6)[0]?.text,
      'ifconfig_vtnet0_ipv6="inet6 2001:db8:12:48::116 prefixlen 128 mtu 1400"',
    ],
    ['OpenBSD', openbsd(SMALL)[1]?.text, 'mtu 1400'],
    [
      'Windows',
      windows(SMALL)[0]?.text,
      'Set-NetIPInterface -InterfaceIndex $nic -AddressFamily IPv4 -NlMtuBytes 1400',
    ],
  ];
  for (const [system, text, line] of said)
    it(`${MTU} ${system}`, () => {
      const lines = (text ?? '').split('\n').filter(one => /1400/.test(one));
      expect(lines[0]).to.equal(line);
      expect(lines).to.have.length(system === 'Windows' ? 2 : 1);
    });

  it('no format says what is usual', () => {
    for (const format of Object.values(GUEST_FORMATS)) {
      expect(printFiles(format(BOTH))).not.to.match(/mtu/i);
      expect(printFiles(format(SMALL))).to.match(/mtu.*1400/i);
    }
  });

  it('FreeBSD: the route to the gateway comes before the default route', () => {
    expect(printFiles(freebsd(BOTH))).to.equal(`# /etc/rc.conf
hostname="vm1"
ifconfig_vtnet0="inet 123.45.90.116 netmask 255.255.255.255"
ifconfig_vtnet0_ipv6="inet6 2001:db8:12:48::116 prefixlen 128"
ifconfig_vtnet0_alias0="inet 123.45.90.117 netmask 255.255.255.255"
static_routes="gateway default"
route_gateway="-host 123.45.12.48 -interface vtnet0"
route_default="default 123.45.12.48"
ipv6_defaultrouter="fe80::1%vtnet0"

# /etc/resolv.conf
search lan
nameserver 9.9.9.9
nameserver 2620:fe::fe
`);
  });

  it('FreeBSD: rc.conf is a shell script that sets what rc(8) reads', () => {
    const script = `${freebsd(BOTH)[0]?.text}\nfor each in $static_routes; do eval "echo \\$route_$each"; done`;
    const routes = execFileSync('sh', ['-euc', script], { encoding: 'utf8' });
    expect(routes).to.equal('-host 123.45.12.48 -interface vtnet0\ndefault 123.45.12.48\n');
  });

  it('FreeBSD: IPv6 alone needs no static routes', () => {
    expect(freebsd(SIX)[0]?.text).to.equal(`hostname="vm1"
ifconfig_vtnet0_ipv6="inet6 2001:db8:12:48::116 prefixlen 128"
ipv6_defaultrouter="fe80::1%vtnet0"
`);
  });

  it('OpenBSD: the gateway is looked for on the interface', () => {
    expect(printFiles(openbsd(BOTH))).to.equal(`# /etc/myname
vm1.lan

# /etc/hostname.vio0
inet 123.45.90.116 255.255.255.255
inet alias 123.45.90.117 255.255.255.255
inet6 2001:db8:12:48::116 128
!route add -inet 123.45.12.48 -llinfo -link -static -iface vio0
!route add -inet default 123.45.12.48

# /etc/mygate
fe80::1%vio0

# /etc/resolv.conf
search lan
nameserver 9.9.9.9
nameserver 2620:fe::fe
`);
  });

  it('Windows: finds the interface by its MAC, and routes to the gateway before it routes through it', () => {
    const lines = (windows(BOTH)[0]?.text ?? '').split('\n');
    expect(lines).to.include(
      "$nic = (Get-NetAdapter | Where-Object MacAddress -eq '52-54-00-00-00-00').ifIndex",
    );
    const news = lines
      .filter(line => line.startsWith('New-'))
      .map(line => line.replace('-InterfaceIndex $nic ', ''));
    expect(news).to.deep.equal([
      'New-NetIPAddress -IPAddress 123.45.90.116 -PrefixLength 32 | Out-Null',
      'New-NetIPAddress -IPAddress 123.45.90.117 -PrefixLength 32 | Out-Null',
      'New-NetIPAddress -IPAddress 2001:db8:12:48::116 -PrefixLength 128 | Out-Null',
      'New-NetRoute -DestinationPrefix 123.45.12.48/32 -NextHop 0.0.0.0 -ErrorAction SilentlyContinue | Out-Null',
      'New-NetRoute -DestinationPrefix 0.0.0.0/0 -NextHop 123.45.12.48 | Out-Null',
      'New-NetRoute -DestinationPrefix ::/0 -NextHop fe80::1 | Out-Null',
    ]);
    expect(lines.findIndex(line => line.includes('-Dhcp Disabled'))).to.be.lessThan(
      lines.findIndex(line => line.startsWith('New-')),
    );
  });

  it('Windows: leaves a family alone that the domain has no address of', () => {
    expect(windows(SIX)[0]?.text).not.to.contain('IPv4');
  });

  it('a second interface has no second default route where a format knows no rules, and says so', () => {
    for (const format of [freebsd, openbsd, cloudInitV1]) {
      const text = printFiles(format(TWO));
      expect(text.match(/default 123|gateway: |!route add -inet default/g), format.name).to.have.length(1);
      expect(text).to.match(/^# The interface 52:54:00:00:00:01 is not the first of its family/m);
    }
  });

  it('takes the names of the interfaces from the user', () => {
    const named = networkFor([['123.45.90.116'], ['123.45.90.118']], ['ens3']);
    const stanzas = printFiles(ifupdown(named)).match(/^auto .*/gm);
    expect(stanzas).to.deep.equal(['auto lo', 'auto ens3', 'auto eth1']);
    expect(freebsd(named)[0]?.text).to.contain('ifconfig_ens3=').and.to.contain('ifconfig_vtnet1=');
  });

  it('NetworkManager: one file for each interface, and no IPv4 where there is none', () => {
    expect(networkmanager(TWO).map(({ path }) => path)).to.deep.equal([
      '/etc/NetworkManager/system-connections/hnet-eth0.nmconnection',
      '/etc/NetworkManager/system-connections/hnet-eth1.nmconnection',
    ]);
    expect(networkmanager(SIX)[0]?.text).to.contain('[ipv4]\nmethod=disabled\n');
  });

  for (const [name, format] of Object.entries(GUEST_FORMATS)) {
    it(`${name}: names no server and no search domain where the configuration has none`, () => {
      const text = printFiles((format as Format)({ ...BOTH, dns: [] }));
      expect(text).not.to.match(/9\.9\.9\.9|nameserver|\bdns|DNS|search|Dns/);
    });

    it(`${name}: says what of a prefix it leaves to its owner`, () => {
      const network = networkFor([['123.45.90.0/26', '2001:db8:12:48:1::/80']]);
      const text = printFiles((format as Format)(network));
      expect(text).to.match(/^# All of 123\.45\.90\.0\/26 is routed here; of it only 123\.45\.90\.0 is/m);
      expect(text).to.contain('2001:db8:12:48:1::1').and.not.to.contain('123.45.90.1/');
    });
  }

  it('all of them print under their names', () => {
    const titles = printNetwork(BOTH, 'all').match(/^#### .*/gm) ?? [];
    expect(titles.map(title => title.slice(5))).to.deep.equal(Object.keys(GUEST_FORMATS));
  });

  it('an unknown format is refused with the list, inherited properties too', () => {
    for (const name of [undefined, '', 'Netplan', 'toString', '__proto__']) {
      expect(() => pickFormat(GUEST_FORMATS, name, ['all'])).to.throw(
        UsageRefusal,
        /ifupdown, .*windows, all$/,
      );
    }
    expect(pickFormat(GUEST_FORMATS, 'freebsd')).to.equal(freebsd);
  });
});
