/** Everything that doctor finds: what is the matter, as a change to a host that is fit, and what is said of it. */

import { parseSaved } from '../../src/firewall/foreign/parse-iptables.ts';
import { requireAssignment, toAttachment } from '../../src/lifecycle/admission.ts';
import { format, parseAddress, parsePrefix } from '../../src/model/address.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { parseDomain } from '../../src/model/parse-domain.ts';
import { assignmentXml, domainXml, uuidOf } from '../support/domain.ts';
import { FACTS, UPLINK, uplinksFor } from '../support/uplink.ts';
import {
  assigned,
  BOTH,
  type Change,
  configured,
  domain,
  file,
  HOOK,
  hook,
  known,
  link,
  NETWORK,
  PROFILE,
  PROGRAM,
  routes,
  unknown,
} from './doctor-host.ts';

const routed = (prefix: string, dev: string): Change => ({
  network: { ...NETWORK, routes: routes(['0.0.0.0/0', 'eth0'], [prefix, dev]) },
});
const FILTERED = domainXml('vm1', {
  addresses: ['123.45.90.116'],
  taps: [{ bridge: 'br116', tap: 'vnet0' }],
}).replace('<model', "<filterref filter='clean-traffic'/><model");
const attachmentOf = (name: string, address: string) =>
  toAttachment(
    parseDomain(assigned(name, address)),
    requireAssignment(parseDomain(assigned(name, address)), 'test'),
    'iptables',
    () => undefined,
  );
/** A domain with a forward. */
const called = (forward: string) =>
  domain(
    assigned('vm1', '123.45.90.116').replace(
      '</hnet:assignment>',
      `<hnet:forward>${forward}</hnet:forward></hnet:assignment>`,
    ),
  );
/** A domain with one interface of a kind. */
export const withNic = (type: string, source: string, mac = '52:54:00:00:00:01') =>
  domain(
    domainXml('vm2').replace(
      '<devices>',
      `<devices><interface type='${type}'><mac address='${mac}'/><source ${source}/></interface>`,
    ),
  );
/** A host whose uplink is a bridge with the hardware in it. */
export const BRIDGED: Change = {
  uplinks: known([{ ...UPLINK, device: 'br0' }]),
  configured: known([{ ...FACTS, device: 'br0' }]),
  network: {
    ...NETWORK,
    links: new Map([...NETWORK.links, ['br0', link({ kind: 'bridge' })], ['eth0', link({ master: 'br0' })]]),
    addresses: new Map([['br0', ['123.45.12.48/32']]]),
    routes: routes(['0.0.0.0/0', 'br0'], ['172.30.116.0/24', 'br116']),
  },
};
const DROP = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n';

/** A host whose libvirt is several daemons. */
export const MODULAR = {
  'systemctl is-active virtqemud.socket': 'active\n',
  'systemctl show libvirtd.service --timestamp=unix --property=ActiveState --property=StateChangeTimestamp':
    'ActiveState=inactive\nStateChangeTimestamp=\n',
  'systemctl show virtqemud.service --timestamp=unix --property=ActiveState --property=StateChangeTimestamp':
    'ActiveState=active\nStateChangeTimestamp=@1001\n',
};
/** A host whose hook's interpreter is where profiles allow none. */
const confined = (profiles: string, outputs: Change['outputs'] = {}): Change => ({
  files: { [PROFILE]: file(`${profiles}\n`), [HOOK]: file(hook('/opt/node/bin/node')) },
  outputs: { ...outputs, '/opt/node/bin/node --version': 'v20.12.0\n' },
});
/** @param text as `systemd-analyze cat-config` shows it */
export const networkd = (text: string): Change => ({
  outputs: {
    'systemctl is-active systemd-networkd.service': 'active\n',
    'systemd-analyze cat-config systemd/networkd.conf': text,
  },
});

/** What is the matter: the change, what is found, and what mends it. */
export const CASES: Readonly<Record<string, readonly [Change, RegExp, RegExp]>> = {
  'a configuration that cannot be read': [
    { config: unknown('Cannot use /etc/hnet/hnet.toml, line 1: oh') },
    /^Cannot use \/etc\/hnet\/hnet\.toml, line 1: oh$/,
    /hnet\.toml$/,
  ],
  'a configuration that has cut off the host': [
    { isRejected: true },
    /^\/etc\/hnet\/hnet\.toml cut off the host when it was applied, or would have$/,
    /hnet\.toml {2}# change it/,
  ],
  'no pools': [configured(''), /"pools" is empty/, /hnet\.toml {2}# name what/],
  'no default route': [
    {
      uplinks: unknown('Cannot find the uplink: there is no default route'),
      configured: unknown('the same'),
    },
    /^Cannot find the uplink/,
    /^ip route add default via/,
  ],
  'an uplink that is down': [
    { network: { ...NETWORK, links: new Map([...NETWORK.links, ['eth0', link({ up: false })]]) } },
    /uplink eth0 is down/,
    /^ip link set eth0 up$/,
  ],
  "a VPN's rule, without ours before it": [
    {
      uplinks: known(uplinksFor(parseConfig(`pools = [${BOTH}]`), { bypassed: [4, 6] })),
      policy: {
        rules: [
          {
            family: 4,
            preference: 32765,
            words: 'not fwmark 0xca6c from all lookup 51820',
            isOurs: false,
          },
        ],
        own: [],
      },
    },
    /^the host's own IPv4 packets don't leave by eth0: rule 32765 \(not fwmark 0xca6c from all lookup 51820\)$/,
    /^hnet sync$/,
  ],
  "ipset, of which the kernel doesn't know": [
    { outputs: { 'ipset list -t -o xml': undefined } },
    /^ipset doesn't work in this kernel$/,
    /^modprobe ip_set && hnet base up {2}# or set backend = "nftables"/,
  ],
  "nft, of which the kernel doesn't know": [
    {
      ...configured('"123.45.90.112/29", "123.45.53.11"', '', 'nftables'),
      outputs: { 'nft -j list tables': undefined },
    },
    /^nft doesn't work in this kernel$/,
    /^modprobe nf_tables && hnet base up {2}# or set backend = "iptables"/,
  ],
  "nft, of which the kernel doesn't know, beside iptables": [
    { outputs: { 'nft -j list tables': undefined } },
    /^nft doesn't work in this kernel, so nothing limits/,
    /^modprobe nf_tables$/,
  ],
  'no gateway': [
    { uplinks: known([{ ...UPLINK, gateway: undefined }]) },
    /no gateway/,
    /# gateway = "ADDRESS"$/,
  ],
  'an uplink that is no /32': [
    { configured: known([{ ...FACTS, length: 24 }]) },
    /^123\.45\.12\.48 on eth0 has the length \/24 where \/32 belongs/,
    /^hnet host --format ifupdown/,
  ],
  'forwarding that is off': [
    { files: { '/proc/sys/net/ipv4/ip_forward': file('0\n') } },
    /forwarding is off/,
    /^hnet sync$/,
  ],
  'a pool that contains the host': [
    configured('"123.45.12.0/24"'),
    /key "pools": .*123\.45\.12\.48, the host's/,
    /hnet\.toml/,
  ],
  'a pool that contains the gateway': [
    configured('"123.45.12.0/29"'),
    /123\.45\.12\.1, the host's or the gateway's own/,
    /hnet\.toml/,
  ],
  "a pool on the uplink's wire": [
    {
      network: {
        ...NETWORK,
        addresses: new Map([['eth0', ['123.45.12.48/32', '123.45.90.1/24']]]),
        routes: routes(['0.0.0.0/0', 'eth0'], ['123.45.90.0/24', 'eth0']),
      },
    },
    /pool 123\.45\.90\.112\/29 lies on the uplink's own subnet 123\.45\.90\.0\/24/,
    /^hnet host --format ifupdown {2}# /,
  ],
  'a pool that the host routes elsewhere': [
    routed('123.45.90.112/30', 'tun0'),
    /routes 123\.45\.90\.112\/30 to tun0, in the pool 123\.45\.90\.112\/29/,
    /^ip route delete 123\.45\.90\.112\/30 dev tun0$/,
  ],
  'another program that wants the place of our jump': [
    {
      files: {
        '/run/hnet/contests.json': file(
          '[{"what":"raw table","why":"another rule comes before its jump in PREROUTING","times":17,"since":0,"by":"felix (iptables)"}]',
        ),
      },
    },
    /^raw table: another rule comes .* 17 times since 1970-01-01T00:00:00\.000Z; .* is felix \(iptables\)$/,
    /^iptables-save {2}# /,
  ],
  'bootstrap scopes in which Docker has a network': [
    routed('172.30.0.0/16', 'docker0'),
    /scopes 172\.30\.0\.0\/16 overlap the route 172\.30\.0\.0\/16 to docker0/,
    /# scopes = "10\.30\.0\.0\/16"$/,
  ],
  'bootstrap scopes from which Docker may take networks': [
    { files: { '/usr/bin/dockerd': file('') } },
    /^the bootstrap scopes 172\.30\.0\.0\/16 overlap 172\.16\.0\.0\/12 of Docker$/,
    /daemon\.json/,
  ],
  'a policy of others that drops what is forwarded': [
    { strangers: { tables: parseSaved(DROP, 4), complete: true, carry: [] } },
    /^chain FORWARD of table ip filter drops/,
    /^hnet sync$/,
  ],
  'a tool that is not there': [
    { files: { '/usr/sbin/ipset': undefined } },
    /^ipset is missing$/,
    /^apt-get install ipset$/,
  ],
  'the tool of the other backend that is not there': [
    { ...configured('"123.45.90.112/29"', '', 'nftables'), files: { '/usr/sbin/nft': undefined } },
    /^nft is missing$/,
    /^apt-get install nftables$/,
  ],
  'iptables without nft': [
    { files: { '/usr/sbin/nft': undefined } },
    /^nft is missing, so nothing limits how much of its tables one VM takes$/,
    /^apt-get install nftables$/,
  ],
  'tools of two kinds': [
    { outputs: { 'iptables-restore --version': 'iptables-restore v1.8.9 (legacy)\n' } },
    /iptables-save is nf_tables, iptables-restore is legacy/,
    /^update-alternatives --config iptables$/,
  ],
  'rules in both kinds of iptables': [
    { outputs: { 'iptables-legacy-save': '*filter\n-A FORWARD -j DROP\nCOMMIT\n' } },
    /rules in both kinds of iptables/,
    /^update-alternatives/,
  ],
  'a dnsmasq that is too old': [
    { outputs: { 'dnsmasq --version': 'Dnsmasq version 2.76  Copyright\n' } },
    /dnsmasq is 2\.76, older than 2\.80/,
    /^apt-get install dnsmasq-base$/,
  ],
  'a libvirt that does not answer': [
    { domains: unknown('Cannot connect to libvirt: no such socket') },
    /^Cannot connect to libvirt/,
    /^systemctl start libvirtd$/,
  ],
  'no hook': [{ files: { [HOOK]: undefined } }, /no hook of hnet's/, /install\.sh$/],
  "somebody else's hook alone": [
    { files: { [HOOK]: file('#!/bin/sh\n') } },
    /no hook of hnet's/,
    /install\.sh$/,
  ],
  'a hook that is not executable': [
    { files: { [HOOK]: file(hook('/usr/bin/node'), { mode: 0o100644 }) } },
    /not an executable file of root's \(mode 644, owner 0\)/,
    /^chown root:root \/etc\/libvirt\/hooks\/qemu && chmod 755/,
  ],
  'a hook that others may write': [
    { files: { [HOOK]: file(hook('/usr/bin/node'), { mode: 0o100777 }) } },
    /mode 777/,
    /chmod 755/,
  ],
  'a hook whose interpreter is gone': [
    { outputs: { '/usr/bin/node --version': undefined } },
    /interpreter \/usr\/bin\/node doesn't run/,
    /install\.sh$/,
  ],
  'a hook whose interpreter is too old': [
    { outputs: { '/usr/bin/node --version': 'v20.11.1\n' } },
    /older than 20\.12/,
    /install\.sh$/,
  ],
  'a hook whose program is gone': [
    { files: { [PROGRAM]: undefined } },
    /qemu\.cjs is missing/,
    /install\.sh$/,
  ],
  'a hook that the daemon has not seen': [
    { files: { [HOOK]: file(hook('/usr/bin/node'), { since: 2000 }) } },
    /libvirtd has not been reloaded since/,
    /^systemctl reload libvirtd$/,
  ],
  'a hook that virtqemud has not seen': [
    { files: { [HOOK]: file(hook('/usr/bin/node'), { since: 2000 }) }, outputs: MODULAR },
    /^virtqemud has not been reloaded since/,
    /^systemctl reload virtqemud$/,
  ],
  'AppArmor, and an interpreter where it allows none': [
    confined('libvirtd (enforce)'),
    /^AppArmor confines libvirtd, and the hook's interpreter is \/opt\/node\/bin\/node/,
    /install\.sh$/,
  ],
  'AppArmor as older releases name its profiles': [
    confined('/usr/sbin/libvirtd (enforce)'),
    /^AppArmor confines libvirtd/,
    /install\.sh$/,
  ],
  'AppArmor that confines virtqemud': [
    confined('libvirtd (complain)\nvirtqemud (enforce)', MODULAR),
    /^AppArmor confines virtqemud, and the hook's interpreter is \/opt\/node\/bin\/node/,
    /install\.sh$/,
  ],
  'SELinux that confines hooks': [
    {
      files: { '/sys/fs/selinux/enforce': file('1') },
      outputs: { 'getsebool virt_hooks_unconfined': 'virt_hooks_unconfined --> off\n' },
    },
    /SELinux is enforcing/,
    /^setsebool -P virt_hooks_unconfined on$/,
  ],
  'SELinux that confines hooks of virtqemud, which the boolean does not mention': [
    {
      files: { '/sys/fs/selinux/enforce': file('1') },
      outputs: { ...MODULAR, 'getsebool virt_hooks_unconfined': 'virt_hooks_unconfined --> on\n' },
    },
    /^SELinux is enforcing, and its policy lets no hook of virtqemud's change/,
    /^semodule -i \/usr\/share\/doc\/hnet\/selinux\/hnet\.cil && setsebool -P virt_hooks_unconfined on$/,
  ],
  'SELinux with our module, and the boolean off': [
    {
      files: { '/sys/fs/selinux/enforce': file('1') },
      outputs: { ...MODULAR, 'semodule --list-modules': 'hal\nhnet\nhostname\n' },
    },
    /^SELinux is enforcing, and its policy lets no hook of virtqemud's change/,
    /^setsebool -P virt_hooks_unconfined on$/,
  ],
  'virtqemud that does not answer': [
    {
      domains: unknown("Cannot reach libvirt: Failed to connect socket to '/var/run/libvirt/virtqemud-sock'"),
      files: { '/usr/sbin/virtqemud': file('') },
    },
    /^Cannot reach libvirt/,
    /^systemctl start virtqemud\.socket virtnetworkd\.socket/,
  ],
  'systemd-networkd that deletes what it has not made': [
    networkd('[Network]\n#ManageForeignRoutes=yes\n[DHCPv4]\nManageForeignRoutes=no\n'),
    /^systemd-networkd runs, and deletes routes and routing rules of others \(ManageForeignRoutes, Manage/,
    /^mkdir -p \/etc\/systemd\/networkd\.conf\.d && printf .* && systemctl restart systemd-networkd$/,
  ],
  'systemd-networkd that was told to by a later file': [
    networkd(
      '# /etc/systemd/networkd.conf\n[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules = off\n' +
        '# /run/systemd/networkd.conf.d/x.conf\n[Network]\nManageForeignRoutes=true\n',
    ),
    /deletes routes of others \(ManageForeignRoutes\)$/,
    /networkd\.conf\.d\/hnet\.conf/,
  ],
  'metadata that cannot be used': [
    { domains: known([domain(domainXml('vm1', { metadata: '<assignment xmlns="urn:hnet:1"/>' }))]) },
    /metadata of "vm1" can't be used: the assignment holds no address/,
    /^hnet unassign 'vm1' && hnet assign 'vm1'$/,
  ],
  'a clone': [
    {
      domains: known([
        domain(domainXml("it's", { metadata: assignmentXml(uuidOf('vm1'), ['123.45.90.116']) })),
      ]),
    },
    /^"it's" is a clone: .* UUID [0-9a-f-]{36}$/,
    /^hnet unassign 'it'\\''s' && hnet assign 'it'\\''s'$/,
  ],
  'two domains with one address': [
    { domains: known([domain(assigned('vm1', '123.45.90.116')), domain(assigned('vm2', '123.45.90.116'))]) },
    /"vm[12]" and "vm[12]" are both assigned 123\.45\.90\.116/,
    /^hnet unassign 'vm[12]' 123\.45\.90\.116$/,
  ],
  'a domain whose address lies in the subnet of another': [
    {
      domains: known([domain(assigned('vm1', '123.45.90.112/30')), domain(assigned('vm2', '123.45.90.113'))]),
    },
    /"vm1" and "vm2" are both assigned 123\.45\.90\.113/,
    /^hnet unassign 'vm2' 123\.45\.90\.113$/,
  ],
  "libvirt's own filter on an interface of ours": [
    { domains: known([domain(FILTERED)]) },
    /interface 52:54:00:00:00:01 of "vm1" has the filter "clean-traffic"/,
    /^virsh edit 'vm1'/,
  ],
  "more assignments than the kernel's table of neighbours takes": [
    { files: { '/proc/sys/net/ipv4/neigh/default/gc_thresh3': file('1\n') } },
    /1 addresses are assigned, and the kernel's IPv4 neighbour table takes 1/,
    /^sysctl -w net\.ipv4\.neigh\.default\.gc_thresh3=4$/,
  ],
  'IPv6 forwarding that is off': [
    { ...configured(BOTH), files: { '/proc/sys/net/ipv6/conf/all/forwarding': file('0\n') } },
    /^IPv6 forwarding is off$/,
    /^hnet sync$/,
  ],
  'no IPv6 default route': [
    {
      ...configured(BOTH),
      uplinks: known(uplinksFor(parseConfig(`pools = [${BOTH}]`), { gateway6: undefined })),
    },
    /no IPv6 default route with a gateway/,
    /^ip -6 route add default via fe80::1 dev eth0$/,
  ],
  'an IPv6 default route that forwarding will end': [
    {
      ...configured(BOTH),
      files: { '/proc/sys/net/ipv6/conf/eth0/accept_ra': file('1\n') },
      outputs: { 'ip -6 route show default': 'default via fe80::1 dev eth0 proto ra metric 1024\n' },
    },
    /default route comes from router advertisements, and accept_ra of eth0 is 1/,
    /^sysctl -w net\.ipv6\.conf\.eth0\.accept_ra=2$/,
  ],
  "an IPv6 pool that the provider doesn't route here": [
    { ...configured(BOTH), delivered: ({ family }) => (family === 6 ? 'lost' : 'arrives') },
    /answer to 2001:db8:12:48:ffff:ffff:ffff:fffe, an address of the pool 2001:db8:12:48::\/64, did not come/,
    /^set ipv6 = "on-link" beside the pool in/,
  ],
  'a pool whose addresses the gateway looks for on the wire': [
    { delivered: one => (format(one) === '123.45.90.118' ? 'sought' : 'arrives') },
    /^the gateway looks for 123\.45\.90\.118, an address of the pool 123\.45\.90\.112\/29, on the wire of eth0$/,
    /^set ipv4 = "on-link" beside the pool in /,
  ],
  'an IPv6 gateway that does not answer': [
    { ...configured(BOTH), delivered: () => undefined },
    /^whether the provider routes the pool 2001:db8:12:48::\/64 here can't be found out$/,
    /^tcpdump -ni eth0 icmp6 {2}# /,
  ],
  'a prefix to be answered for on the wire, and no ndppd': [
    {
      ...configured(BOTH, 'ipv6 = "on-link"'),
      delivered: ({ family }) => (family === 6 ? 'lost' : 'arrives'),
      domains: known([domain(assigned('vm1', '2001:db8:12:48:1::/80'))]),
    },
    /ndppd is missing, and 2001:db8:12:48:1::\/80 must be answered for/,
    /^apt-get install ndppd$/,
  ],
  'an address of a pool that the host has on another interface': [
    { network: { ...NETWORK, addresses: new Map([...NETWORK.addresses, ['lo', ['123.45.90.115/32']]]) } },
    /^the host itself has 123\.45\.90\.115 on lo, an address of the pool 123\.45\.90\.112\/29$/,
    /^ip address delete 123\.45\.90\.115\/32 dev lo$/,
  ],
  'an IPv6 address that the host has on the uplink, and a domain is to have': [
    {
      ...configured(BOTH),
      domains: known([domain(assigned('vm1', '2001:db8:12:48::116'))]),
      network: {
        ...NETWORK,
        addresses: new Map([['eth0', ['123.45.12.48/32', '2001:db8:12:48::2/64', '2001:db8:12:48::116/64']]]),
      },
    },
    /^the host itself has 2001:db8:12:48::116 on eth0, an address of the pool/,
    /^ip address show dev eth0 {2}# and delete it/,
  ],
  'a host that answers no ARP request': [
    { files: { '/proc/sys/net/ipv4/conf/all/arp_ignore': file('8\n') } },
    /^arp_ignore is 8 for all interfaces/,
    /^sysctl -w net\.ipv4\.conf\.all\.arp_ignore=0$/,
  ],
  'what cuts off running domains, once for each cause': [
    {
      unserved: ['123.45.90.116', '123.45.90.117'].map(address => ({
        attachment: attachmentOf('vm1', address),
        address: parseAddress(address),
        cause: { why: 'the rule 9 (from all lookup 52) leads what it sends to wg0', mend: 'ip -4 rule show' },
      })),
    },
    /^"vm1": 123\.45\.90\.116 and 1 more can't be reached: the rule 9 \(from all lookup 52\) leads/,
    /^ip -4 rule show$/,
  ],
  'a further uplink on a wire, without a gateway': [
    {
      uplinks: known([
        UPLINK,
        {
          ...UPLINK,
          device: 'eth1',
          gateway: undefined,
          gateway6: undefined,
          way: 1,
          pools: [parsePrefix('203.0.113.0/28')],
        },
      ]),
      network: { ...NETWORK, links: new Map([...NETWORK.links, ['eth1', link({})]]) },
    },
    /^the uplink eth1 has no IPv4 gateway$/,
    /# gateway = "ADDRESS" under \[\[uplinks\]\], beside device = "eth1"$/,
  ],
  "an interface on the uplink's bridge": [
    { ...BRIDGED, domains: known([withNic('bridge', "bridge='br0'")]) },
    /^the interface 52:54:00:00:00:01 of "vm2" is on the uplink br0$/,
    /^hnet assign 'vm2' --nic 52:54:00:00:00:01$/,
  ],
  'a macvtap on the uplink': [
    { domains: known([withNic('direct', "dev='eth0' mode='bridge'")]) },
    /^the interface 52:54:00:00:00:01 of "vm2" is on the uplink eth0$/,
    /^hnet assign 'vm2' --nic/,
  ],
  "a macvtap on the hardware in the uplink's bridge, by a network": [
    {
      ...BRIDGED,
      domains: known([withNic('network', "network='lan'")]),
      outputs: {
        'virsh --connect qemu:///system net-dumpxml -- lan':
          "<network><name>lan</name><forward dev='eth0' mode='vepa'><interface dev='eth0'/></forward></network>",
      },
    },
    /^the interface 52:54:00:00:00:01 of "vm2" is on eth0, which is in the uplink br0$/,
    /^hnet assign 'vm2' --nic/,
  ],
  'a program that listens on a port that leads to a domain': [
    {
      domains: known([called('tcp/2200-2300:1 on 123.45.12.48')]),
      outputs: { 'ss -Hlntup': 'tcp LISTEN 0 128 0.0.0.0:2201 0.0.0.0:* users:(("sshd",pid=7,fd=3))' },
    },
    /^sshd of the host listens on tcp\/2201, and the forward tcp\/2200-2300:1 on 123\.45\.12\.48 leads to "vm1"$/,
    /^hnet forward delete 'vm1' tcp\/2200-2300:1 --on 123\.45\.12\.48$/,
  ],
  'a forward of calls to an address that the host has not': [
    { domains: known([called('udp/53 on 192.0.2.7')]) },
    /^the host has no address 192\.0\.2\.7, and the forward udp\/53 on 192\.0\.2\.7 leads to "vm1"$/,
    /^hnet forward delete 'vm1' udp\/53 --on 192\.0\.2\.7$/,
  ],
  'what the kernel would do with packets, of which ip tells nothing': [
    { unseen: [{ what: 'what the kernel would do with packets', why: 'it gave 0 answers to 2 queries' }] },
    /^what the kernel would do with packets could not be asked: it gave 0 answers to 2 queries$/,
    /^hnet doctor {2}# again/,
  ],
  "more IPv6 assignments than the kernel's table of neighbours takes": [
    {
      ...configured(BOTH),
      files: { '/proc/sys/net/ipv6/neigh/default/gc_thresh3': file('64\n') },
      domains: known([domain(assigned('vm1', '2001:db8:12:48:1::/80'))]),
    },
    /64 addresses are assigned, and the kernel's IPv6 neighbour table takes 64/,
    /^sysctl -w net\.ipv6\.neigh\.default\.gc_thresh3=256$/,
  ],
};
