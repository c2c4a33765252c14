/** Troubles of a domain that may not be reachable: what is done, how it is undone, and what hnet doctor says of it. */
import { parsePrefix } from '../../src/model/address.ts';
import { bridgeMac } from '../../src/model/names.ts';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { type Cast, configure, MINE, MINE6, VM1 } from './cast.ts';
import { hnet } from './command.ts';
import { type DomainOptions, domainXml, uuidOf } from './domain.ts';
import { arpRequest, discover, ethernet, packet, udp } from './packets.ts';
import { Wire } from './wire.ts';

export type Deed = string | ((cast: Cast) => Promise<unknown>);
const inGuest =
  (script: string) =>
  ({ guest }: Cast) =>
    guest.sh(script);
const atGateway =
  (script: string) =>
  ({ one }: Cast) =>
    one.lab.gateway.sh(script);
export const perform = (deed: Deed, all: Cast): Promise<unknown> =>
  typeof deed === 'string' ? all.one.host.sh(deed) : deed(all);
/** The domain's XML is another from now on, by libvirt's word. */
const redefine =
  (options: DomainOptions, edit = (xml: string) => xml) =>
  ({ libvirt }: Cast) =>
    libvirt.runAll(new Map([[uuidOf('vm1'), edit(domainXml('vm1', options))]]));

const OTHER_TABLE = 'inet other; add chain inet other forward { type filter hook forward priority 10; policy';
const NO_SERVER = 'pkill -KILL -x dnsmasq; while pgrep -x dnsmasq; do sleep 0.01; done';
const HOLDS_PORT = `require('dgram').createSocket('udp4').bind(67, () => console.log('bound'))`;
const DEAF_GUEST =
  'add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; }';

/** The guest sends these until the trouble is undone, so many in each fiftieth of a second. */
const flooding =
  (frame: (mac: string, number: number) => Uint8Array, atOnce = 20): Deed =>
  async all => {
    const { guest } = all;
    const wire = await Wire.open(guest, 'eth0', BRIDGE_MAC);
    let count = 0;
    const timer = setInterval(() => {
      for (let more = 0; more < atOnce; more++) wire.sendFrame(frame(guest.mac, count++));
    }, 20);
    all.beside = {
      stop: async () => {
        clearInterval(timer);
        wire.close();
      },
    };
    await until(() => count > 50 * atOnce, PATIENCE, 'the flood');
  };
/** And then its bridge has its whole allowance again. */
/** The host as it is then, and hnet made to fit; hnet.toml says what bridges take. */
const narrowed =
  (script: string): Deed =>
  async ({ one }) => {
    await one.host.sh(script);
    await hnet(one, 'sync');
  };

const calmed = async ({ one, beside }: Cast): Promise<void> => {
  await beside?.stop();
  await one.host.sh(`conntrack -F 2>/dev/null || true
    for set in senders new-senders over-senders; do nft flush set arp hnet hnet-$set; done
    for set in full-from new-from over-from; do nft flush set inet hnet hnet-$set; done
    ipset del hnet4-asking 0.0.0.0/1,br116 2>/dev/null || true
    for set in asking asking-over; do nft flush set ip hnet hnet4-$set 2>/dev/null || true; done`);
};
const [OUR_SCOPE, BRIDGE_MAC] = ['172.30.116', bridgeMac(parsePrefix('172.30.116.0/24'))];
const inOurScope = (number: number): string => `${OUR_SCOPE}.${2 + (number % 250)}`;

/** What is done, how it is undone, and what is said of it: cause, address, and what was seen. */
export const TROUBLES: Readonly<Record<string, readonly [Deed, Deed, string, string | null, RegExp]>> = {
  'no address assigned': [
    redefine({ taps: VM1.taps ?? [] }),
    redefine(VM1),
    'unassigned',
    null,
    /no address/,
  ],
  'the address at another domain': [
    ({ libvirt }) => libvirt.run('vm2', { addresses: [MINE] }),
    ({ libvirt }) => libvirt.end('vm2'),
    'taken',
    MINE,
    /the domain "vm2" has it/,
  ],
  'its link set down': [
    redefine(VM1, xml => xml.replace('<model', "<link state='down'/><model")),
    redefine(VM1),
    'link down',
    MINE,
    /52:54:00:00:00:01 has its link set down/,
  ],
  'its interface detached': [
    redefine({ ...VM1, taps: [] }),
    redefine(VM1),
    'interface',
    MINE,
    /no interface of it is on br116: it has none/,
  ],
  'its interface on another bridge': [
    redefine({ ...VM1, taps: [{ bridge: 'virbr0', tap: 'vm1' }] }),
    redefine(VM1),
    'interface',
    MINE,
    /52:54:00:00:00:01 is on virbr0/,
  ],
  'its tap pulled out of the bridge': [
    'ip link set vm1 nomaster',
    'ip link set vm1 master br116',
    'port',
    MINE,
    /vm1.* is in no bridge and not in br116/,
  ],
  'its tap set down': [
    'ip link set vm1 down',
    'ip link set vm1 up',
    'port',
    MINE,
    /^vm1, the end of its interface 52:54:00:00:00:01, is down$/,
  ],
  'its port locked': [
    'ip link set vm1 type bridge_slave locked on',
    'ip link set vm1 type bridge_slave locked off',
    'port',
    MINE,
    /^vm1, the end of .*: its locked is on; ip link set dev vm1 type bridge_slave locked off$/,
  ],
  'nothing set up for it': [
    'mkdir /run/away; mv /run/hnet/attachments/* /run/away',
    'mv /run/away/* /run/hnet/attachments; rmdir /run/away',
    'record',
    null,
    /nothing is set up/,
  ],
  'the host route gone': [
    `ip route del ${MINE} dev br116`,
    `ip route add ${MINE} dev br116 proto 104`,
    'route',
    null,
    /route to 123|route 123.*missing/,
  ],
  'forwarding off': [
    'sysctl -qw net.ipv4.ip_forward=0',
    'sysctl -qw net.ipv4.ip_forward=1',
    'forwarding',
    null,
    /IPv4 forwarding/,
  ],
  'the address at the host itself': [
    `ip address add ${MINE}/32 dev eth0`,
    `ip address del ${MINE}/32 dev eth0`,
    'kernel',
    MINE,
    /the host itself has 123\.45\.90\.116 on eth0/,
  ],
  'a rule that leads elsewhere': [
    `ip rule add to ${MINE} lookup 52; ip route add default dev eth0 table 52`,
    `ip rule del to ${MINE} lookup 52; ip route flush table 52`,
    'kernel',
    MINE,
    /the rule \d+ \(to 123\.45\.90\.116 lookup 52\) leads what is sent to it to eth0/,
  ],
  'a provider that does not route it here': [
    atGateway(`ip route add blackhole ${MINE}`),
    atGateway(`ip route del blackhole ${MINE}`),
    'not routed',
    MINE,
    /answers to this address don't/,
  ],
  'a provider that does not route it here, in IPv6': [
    atGateway(`ip route add blackhole ${MINE6}`),
    atGateway(`ip route del blackhole ${MINE6}`),
    'not routed',
    MINE6,
    /answers to this address don't/,
  ],
  'a provider that looks for it on the wire': [
    atGateway(`ip route add ${MINE} dev h1`),
    atGateway(`ip route del ${MINE} dev h1`),
    'on-link',
    MINE,
    /looks for it on the wire of eth0/,
  ],
  'a provider that looks for it on the wire, in IPv6': [
    atGateway(`ip route add ${MINE6} dev h1`),
    atGateway(`ip route del ${MINE6} dev h1`),
    'on-link',
    MINE6,
    /looks for it on the wire of eth0/,
  ],
  "another program's policy that drops": [
    `nft 'add table ${OTHER_TABLE} drop; }'`,
    'nft delete table inet other',
    'foreign filter',
    null,
    /chain forward of table inet other/,
  ],
  "another program's rule against the address": [
    `nft 'add table ${OTHER_TABLE} accept; }; add rule inet other forward ip daddr ${MINE} drop'`,
    'nft delete table inet other',
    'foreign filter',
    null,
    /chain forward of table inet other/,
  ],
  'a ban of the address by iptables': [
    `iptables -I FORWARD -d ${MINE} -j DROP`,
    `iptables -D FORWARD -d ${MINE} -j DROP`,
    'foreign filter',
    null,
    /chain FORWARD of table ip filter/,
  ],
  "another program's drop at a place where nobody looks": [
    `nft 'add table inet other; add chain inet other early { type filter hook prerouting priority -350; }; add rule inet other early iifname eth0 ip daddr ${MINE} drop'`,
    'nft delete table inet other',
    'foreign filter',
    MINE,
    /comes for it by eth0 doesn't leave by br116; none of hnet's rules/,
  ],
  'a guest without the address': [
    inGuest(`ip address del ${MINE}/32 dev eth0`),
    configure,
    'no address',
    MINE,
    /doesn't answer for the address/,
  ],
  'a guest without the address, in IPv6': [
    inGuest(`ip address del ${MINE6}/128 dev eth0`),
    configure,
    'no address',
    MINE6,
    /doesn't answer for the address/,
  ],
  'a guest on its bootstrap lease': [
    async ({ guest }) => {
      await guest.sh('ip -4 address flush dev eth0');
      await guest.dhcp();
    },
    configure,
    'bootstrap lease',
    MINE,
    /bootstrap lease 172\.30\.116\./,
  ],
  "a guest with its neighbour's address": [
    inGuest('ip -4 address flush dev eth0; ip address add 123.45.90.117/32 dev eth0'),
    configure,
    'other address',
    MINE,
    /the VM uses 123\.45\.90\.117/,
  ],
  'a guest with an address of elsewhere': [
    async all => {
      await all.guest.sh(
        'ip -4 address flush dev eth0; ip address add 10.9.9.9/24 dev eth0; ip route add default via 10.9.9.1',
      );
      all.beside = all.guest.start(['ping', '-n', '-i', '0.2', INTERNET]);
    },
    async all => {
      await all.beside?.stop();
      await configure(all);
    },
    'other address',
    MINE,
    /the VM uses 10\.9\.9\.9/,
  ],
  'a host that answers no ARP request': [
    'sysctl -qw net.ipv4.conf.all.arp_ignore=8',
    'sysctl -qw net.ipv4.conf.all.arp_ignore=0',
    'kernel',
    MINE,
    /arp_ignore is 8/,
  ],
  "a filter that drops what asks for the host's address": [
    async all => {
      await all.one.host.sh(`nft 'add table arp other
        add chain arp other in { type filter hook input priority 0; }
        add rule arp other in arp daddr ip ${all.one.host.address} drop'`);
      await all.guest.sh('ip neigh flush dev eth0');
    },
    'nft delete table arp other',
    'gateway',
    MINE,
    /its gateway 123\.45\.12\.48 .* the host doesn't answer/,
  ],
  'a guest with a wrong gateway': [
    inGuest('ip route replace default via 123.45.90.1 dev eth0 onlink'),
    configure,
    'gateway',
    MINE,
    /looks for 123\.45\.90\.1 on br116.*123\.45\.12\.48/,
  ],
  'a guest with no default route': [
    inGuest('ip route del default'),
    configure,
    'guest',
    MINE,
    /its own firewall drops it, or it has no default route/,
  ],
  'a guest whose own firewall drops all': [
    inGuest(`nft '${DEAF_GUEST}'; nft add rule inet f in icmpv6 type nd-neighbor-solicit accept`),
    inGuest('nft delete table inet f'),
    'guest',
    MINE,
    /not to a ping from outside: its own firewall/,
  ],
  'a guest that is silent': [
    inGuest('ip link set eth0 down'),
    async all => {
      await all.guest.sh('ip link set eth0 up');
      await configure(all);
    },
    'silent',
    MINE,
    /nothing comes from the VM on br116/,
  ],
  'its DHCP server dead, and the guest without a lease': [
    async all => {
      await all.one.host.sh(NO_SERVER);
      await all.guest.sh('ip -4 address flush dev eth0');
    },
    async all => {
      await hnet(all.one, 'sync');
      await configure(all);
    },
    'dhcp',
    MINE,
    /DHCP scope.*missing/,
  ],
  'its DHCP port at another program': [
    async all => {
      await all.one.host.sh(NO_SERVER);
      const beside = all.one.host.start([process.execPath, '-e', HOLDS_PORT]);
      all.beside = beside;
      await beside.until(/bound/, PATIENCE);
    },
    async all => {
      await all.beside?.stop();
      await hnet(all.one, 'sync');
    },
    'dhcp',
    null,
    /node \(pid \d+\) has port 67/,
  ],
  'an uplink whose MTU is smaller': [
    narrowed('ip link set eth0 mtu 1400; sed -i "1i mtu = 1500" /etc/hnet/hnet.toml'),
    narrowed('ip link set eth0 mtu 1500; sed -i 1d /etc/hnet/hnet.toml'),
    'mtu',
    null,
    /^eth0 takes packets of 1400 bytes, and br116 of 1500/,
  ],
  'a default route that takes smaller packets': [
    narrowed(
      'ip route change $(ip route show default | head -n 1) mtu 1420; sed -i "1i mtu = 1500" /etc/hnet/hnet.toml',
    ),
    narrowed(
      'ip route change $(ip route show default | head -n 1 | sed "s/ mtu .*//"); sed -i 1d /etc/hnet/hnet.toml',
    ),
    'mtu',
    null,
    /^eth0 takes packets of 1420 bytes, and br116 of 1500/,
  ],
  'a guest that asks for neighbours under many addresses': [
    flooding((mac, number) => arpRequest(mac, inOurScope(number), `${OUR_SCOPE}.1`)),
    calmed,
    'limit',
    null,
    /^hnet drops packets of br116: too many ARP senders on a bridge; [1-9]\d* were dropped/,
  ],
  'a guest that sends too many DHCP messages': [
    flooding(discover),
    calmed,
    'limit',
    null,
    /^hnet drops packets of br116: too many DHCP messages from a domain; [1-9]\d* were dropped/,
  ],
  'a guest that opens too many connections from its lease': [
    flooding((mac, number) => {
      const datagram = udp(1024 + (number % 60_000), 9, '');
      return ethernet(BRIDGE_MAC, mac, packet(inOurScope(0), INTERNET, 'udp', datagram));
    }, 300),
    calmed,
    'limit',
    null,
    /^hnet drops packets of br116: too many connections from a domain; [1-9]\d* were dropped/,
  ],
};
