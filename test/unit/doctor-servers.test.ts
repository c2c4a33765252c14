import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { examine } from '../../src/doctor/examine.ts';
import { confinementOfDnsmasq, explainEnd, parseHolders } from '../../src/host/server-trouble.ts';
import { UPLINK } from '../support/uplink.ts';
import { BOTH, type Change, configured, factsOf, file, known, PROFILE } from './doctor-host.ts';

const SS = 'ss -Hulnp sport = :67';
const SS6 = 'ss -Hulnp sport = :547';
/** As ss of iproute2 6.1 prints them. */
const KEA =
  'UNCONN 0      0            0.0.0.0:67         0.0.0.0:*    users:(("kea-dhcp4",pid=4711,fd=14))\n';
const KEA6 =
  'UNCONN 0      0                 *:547              *:*    users:(("kea-dhcp6",pid=4712,fd=9))\n';
const OURS = 'UNCONN 0      0      0.0.0.0%br116:67         0.0.0.0:*    users:(("dnsmasq",pid=99,fd=4))\n';
const LIBVIRT =
  'UNCONN 0      0     0.0.0.0%virbr0:67         0.0.0.0:*    users:(("dnsmasq",pid=98,fd=3))\n';
const SECOND =
  'UNCONN 0      0      0.0.0.0%br116:67         0.0.0.0:*    users:(("systemd-network",pid=97,fd=30))\n';
const OUR_LINE = file('dnsmasq\0--keep-in-foreground\0--conf-file=/run/hnet/dhcp/br116.conf\0');

/** The kernel's list on Debian 12 with apparmor-profiles, whose profile of dnsmasq was set to enforce. */
const PROFILES = `/usr/bin/man (enforce)
libvirtd (complain)
libvirtd//qemu_bridge_helper (complain)
dnsmasq (enforce)
dnsmasq//libvirt_leaseshelper (enforce)
`;
const LOCAL = '/etc/apparmor.d/local/usr.sbin.dnsmasq';
const RULES = '/run/hnet/dhcp/*.conf r,\n/run/hnet/dhcp/*.words w,\n/var/lib/hnet/leases/*.leases rw,\n';
const LABEL = 'stat --dereference --format=%C /usr/sbin/dnsmasq';
const SELINUX = {
  files: { '/sys/fs/selinux/enforce': file('1') },
  outputs: {
    'getsebool virt_hooks_unconfined': 'virt_hooks_unconfined --> on\n',
    [LABEL]: 'system_u:object_r:dnsmasq_exec_t:s0\n',
  },
};

const CASES: Readonly<Record<string, readonly [Change, RegExp, RegExp]>> = {
  'a server that holds the port on every interface': [
    {
      outputs: { [SS]: KEA + LIBVIRT },
      files: { '/proc/4711/cgroup': file('0::/system.slice/kea-dhcp4.service\n') },
    },
    /^"kea-dhcp4" \(pid 4711\) holds UDP port 67 on every interface$/,
    /^systemctl stop kea-dhcp4\.service {2}# or let it bind interfaces of its own$/,
  ],
  "one of IPv6's, that is no service": [
    { ...configured(BOTH), outputs: { [SS6]: KEA6 } },
    /^"kea-dhcp6" \(pid 4712\) holds UDP port 547/,
    /^kill 4712 {2}#/,
  ],
  'a second server on a bridge': [
    {
      outputs: { [SS]: OURS + SECOND },
      files: {
        '/proc/99/cmdline': OUR_LINE,
        '/proc/97/cgroup': file('0::/system.slice/systemd-networkd.service\n'),
      },
    },
    /^"systemd-network" \(pid 97\) serves DHCP on br116 too$/,
    /^kill 97 {2}#/,
  ],
  "AppArmor's profile of dnsmasq": [
    { files: { [PROFILE]: file(PROFILES) } },
    /^AppArmor confines dnsmasq, and has not been told of hnet's files$/,
    /^printf .*'\/run\/hnet\/dhcp\/\*\.conf r,' .*>>\/etc\/apparmor\.d\/local\/usr\.sbin\.dnsmasq && apparmor_parser -r/,
  ],
  "SELinux's domain of dnsmasq": [
    SELINUX,
    /^SELinux is enforcing, and confines dnsmasq, and has not/,
    /^semanage permissive -a dnsmasq_t$/,
  ],
  'a configuration that says a larger MTU than the uplink has': [
    { ...configured('"123.45.90.112/29"', 'mtu = 1500'), uplinks: known([{ ...UPLINK, mtu: 1400 }]) },
    /^mtu is 1500 in hnet.toml, and eth0 takes packets of 1400 bytes$/,
    /^hnet sync {2}# after mtu = 1400 in \/etc\/hnet\/hnet.toml, or without mtu$/,
  ],
};

const SOUND: Readonly<Record<string, Change>> = {
  'a server that shares the port with ours': {
    outputs: { [SS]: KEA + OURS },
    files: { '/proc/99/cmdline': OUR_LINE },
  },
  'servers of other bridges': { outputs: { [SS]: LIBVIRT } },
  'a profile that complains': {
    files: { [PROFILE]: file(PROFILES.replace('dnsmasq (enforce)', 'dnsmasq (complain)')) },
  },
  'a profile that was told of our files': { files: { [PROFILE]: file(PROFILES), [LOCAL]: file(RULES) } },
  'SELinux, with a dnsmasq that it leaves alone': {
    ...SELINUX,
    outputs: { ...SELINUX.outputs, 'semodule --list-modules': 'permissive_dnsmasq_t\nvirt\n' },
  },
  'an uplink of a tunnel': { uplinks: known([{ ...UPLINK, mtu: 1400 }]) },
  'jumbo frames': { uplinks: known([{ ...UPLINK, mtu: 9000 }]) },
};

describe('doctor, on the servers of the bridges', () => {
  for (const [what, [change, found, mend]] of Object.entries(CASES)) {
    it(`finds ${what}, and nothing else`, () => {
      const findings = examine(factsOf(change));
      expect(findings.map(one => one.what)).to.have.length(1);
      expect(findings[0]?.what).to.match(found);
      expect(findings[0]?.mend).to.match(mend);
      const { status, stderr } = spawnSync('sh', ['-n'], {
        input: findings[0]?.mend ?? '',
        encoding: 'utf8',
      });
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    });
  }

  for (const [what, change] of Object.entries(SOUND))
    it(`finds nothing wrong with ${what}`, () => {
      expect(examine(factsOf(change))).to.deep.equal([]);
    });

  it('knows the profile by each of its names, and only if it is enforced', () => {
    const judged = (text: string) =>
      confinementOfDnsmasq(path => (path === PROFILE ? `x (enforce)\n${text}\n` : undefined))?.by;
    for (const name of ['dnsmasq', '/usr/sbin/dnsmasq', '/usr/bin/dnsmasq', '/usr/{bin,sbin}/dnsmasq'])
      expect(judged(`${name} (enforce)`), name).to.equal('AppArmor confines dnsmasq');
    for (const line of [
      'dnsmasq (complain)',
      'my-dnsmasq (enforce)',
      'dnsmasq//libvirt_leaseshelper (enforce)',
    ])
      expect(judged(line), line).to.equal(undefined);
  });

  it('reads whatever ss prints, names of processes with quotes too', () => {
    expect(parseHolders('\ngarbled\nUNCONN\n', () => undefined)).to.deep.equal([]);
    const several = 'UNCONN 0 0 [::]%br1:547 [::]:* users:(("a\\"b",pid=1,fd=2),("c",pid=3,fd=4))';
    expect(parseHolders(several, () => undefined)).to.deep.equal([
      { name: 'a\\"b', pid: 1, device: 'br1' },
      { name: 'c', pid: 3, device: 'br1' },
    ]);
  });

  it('says of a server that ended why, and the way out', () => {
    const home = mkdtempSync(join(tmpdir(), 'hnet-'));
    after(() => rmSync(home, { recursive: true }));
    const words = join(home, 'words');
    const service = { argv: ['dnsmasq'], pidFile: '', data: '', words, ports: [67] };
    const taken = explainEnd(service, 'failed to bind DHCP server socket: Address already in use', () => KEA);
    expect(taken).to.deep.equal({
      isTaken: true,
      why: 'failed to bind DHCP server socket: Address already in use; UDP port 67 is held by "kea-dhcp4" (pid 4711)',
    });
    const denied = explainEnd(
      service,
      'cannot read x: Permission denied',
      () => '',
      path => (path === PROFILE ? PROFILES : undefined),
    );
    expect(readFileSync(words, 'utf8')).to.equal(`${denied.why}\n`);
    expect(denied.isTaken).to.equal(false);
    expect(denied.why).to.match(
      /^cannot read x: Permission denied; AppArmor confines dnsmasq; allow it to read hnet's files: printf /,
    );
  });
});
