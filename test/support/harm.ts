/**
 * Everything that may be damaged on a host with running domains, generated: each of our files in each way a file can
 * break, each piece of our kernel state gone or altered, and what other people's software adds that cuts VMs off.
 */
import fc from 'fast-check';
import { damage, damageScript } from './damage.ts';

/** One damage, as a script for the host. */
export interface Harm {
  readonly what: string;
  readonly script: string;
  /** Takes away what somebody else has added: hnet can't repair that, it has to name it. */
  readonly undo?: string;
}

export interface Target {
  readonly bridges: readonly string[];
  readonly taps: readonly string[];
  /** Addresses of domains, and prefixes. */
  readonly addresses: readonly string[];
  /** The uplinks that need more than a route: rules of their own, or answers on the wire for addresses of domains. */
  readonly uplinks: readonly Uplink[];
}

export interface Uplink {
  readonly device: string;
  /** Its routing table, which exists for some of them. */
  readonly table: number;
  /** What brings everything of its interface back that it loses when it goes down. */
  readonly up: string;
}

const fileHarm: fc.Arbitrary<Harm> = damage.map(one => ({ what: 'file:', script: damageScript([one]) }));

/** What keeps a port that is up from its bridge. */
export const PORT_HARMS: readonly string[] = [
  ...['flood', 'mcast_flood', 'bcast_flood'].map(key => `ip link set TAP type bridge_slave ${key} off`),
  ...['locked', 'proxy_arp'].map(key => `ip link set TAP type bridge_slave ${key} on`),
  // Disabled, listening and learning; the kernel takes a blocked port back by itself.
  ...[0, 1, 2].map(
    state => `[ ! -e /sys/class/net/TAP/master ] || bridge link set dev TAP state ${state} || true`,
  ),
];

/** Damage to what is ours in the kernel: one `sync` has to bring all of it back. */
function kernelHarms(target: Target): fc.Arbitrary<Harm> {
  const { bridges, taps, addresses } = target;
  const of = (what: string, script: string): fc.Arbitrary<Harm> => fc.constant({ what, script });
  const bridge = fc.constantFrom(...bridges);
  const address = fc.constantFrom(...addresses);
  const nth = fc.nat({ max: 997 });
  const named = (what: string, script: (name: string) => string, name = bridge) =>
    name.map(one => ({ what: `${what} (${one})`, script: script(one) }));
  return fc.oneof(
    ...uplinkHarms(target),
    named('bridge deleted', one => `ip link del ${one} 2>/dev/null || true`),
    named('bridge down', one => `ip link set ${one} down 2>/dev/null || true`),
    named('addresses of the bridge removed', one => `ip address flush dev ${one} 2>/dev/null || true`),
    named('tap without bridge', one => `ip link set ${one} nomaster`, fc.constantFrom(...taps)),
    ...['ip link set TAP down', ...PORT_HARMS].map(harm =>
      named(harm, one => harm.replaceAll('TAP', one), fc.constantFrom(...taps)),
    ),
    named('ARP off', one => `ip link set ${one} arp off 2>/dev/null || true`),
    named('route removed', one => `ip ${six(one)} route del ${one} proto 104 2>/dev/null || true`, address),
    named('route unreachable', one => `ip ${six(one)} route replace unreachable ${one} proto 104`, address),
    named('routes of the bridge removed', one => `ip route flush dev ${one} proto 104 2>/dev/null || true`),
    ...['forwarding', 'arp_filter', 'rp_filter', 'arp_ignore', 'proxy_arp', 'accept_local'].map(key =>
      named(`${key} switched`, one => flip(`/proc/sys/net/ipv4/conf/${one}/${key}`)),
    ),
    ...['forwarding', 'accept_ra', 'disable_ipv6'].map(key =>
      named(`IPv6 ${key} switched`, one => flip(`/proc/sys/net/ipv6/conf/${one}/${key}`)),
    ),
    ...[
      'ipv4/ip_forward',
      'ipv4/conf/all/forwarding',
      'ipv4/conf/eth0/forwarding',
      'ipv6/conf/all/forwarding',
    ].map(key => of(`${key} off`, `echo 0 >/proc/sys/net/${key}`)),
    of(
      'DHCP servers killed',
      'pkill -KILL -x dnsmasq; while pgrep -x dnsmasq >/dev/null; do sleep 0.01; done',
    ),
    of('/run/hnet emptied', 'rm -rf /run/hnet/*'),
    of('/var/lib/hnet emptied', 'rm -rf /var/lib/hnet/*'),
    of('claims removed', 'rm -rf /run/hnet/claims'),
    of('nft flush ruleset', 'nft flush ruleset'),
    of('ipset flush', 'ipset flush'),
    fc.constantFrom('raw', 'mangle', 'filter', 'nat').map(table => ({
      what: `iptables -t ${table} flushed`,
      script: `for tool in iptables ip6tables; do $tool -t ${table} -F; done`,
    })),
    nth.map(n => ({ what: `rule ${n} of ours deleted`, script: oneRule(n) })),
    nth.map(n => ({ what: `entry ${n} of our sets deleted`, script: oneEntry(n) })),
  );
}

const six = (address: string): string => (address.includes(':') ? '-6' : '-4');

const flip = (file: string): string => `[ ! -e ${file} ] || { was=$(cat ${file}); echo $((!was)) >${file}; }`;

/** The rule of that number among all of ours, whichever backend made it. */
const oneRule = (n: number): string => `
  { for tool in iptables ip6tables; do for table in raw mangle filter nat; do
      $tool-save -t $table | grep '^-A .*hnet' | sed "s/^-A/$tool -t $table -D/"; done; done
    for family in ip ip6; do nft -a list table $family hnet 2>/dev/null | awk -v family=$family '
      $1 == "chain" { chain = $2 } / # handle [0-9]+$/ && $1 != "chain" && $1 != "set" && $1 != "map" && $1 != "table" {
        print "nft delete rule " family " hnet " chain " handle " $NF }'; done; } >/run/lab/rules
  count=$(wc -l </run/lab/rules); [ $count -eq 0 ] || sh -c "$(sed -n "$((${n} % count + 1))p" /run/lab/rules)"`;

/** The entry of that number among those of ours that stay. */
const oneEntry = (n: number): string => `
  ipset save 2>/dev/null | grep '^add hnet' | grep -v timeout | sed 's/^add \\(\\S* \\S*\\).*/ipset del \\1/' >/run/lab/entries
  count=$(wc -l </run/lab/entries); [ $count -eq 0 ] || sh -c "$(sed -n "$((${n} % count + 1))p" /run/lab/entries)"`;

/** What hnet has on an uplink beside the filter. */
const UPLINK_HARMS: Readonly<Record<string, (uplink: Uplink) => string>> = {
  'neighbour proxies removed': ({ device }) =>
    `for six in -4 -6; do ip $six neigh show proxy dev ${device} | while read -r one rest; do
      ip $six neigh del proxy $one dev ${device}; done; done`,
  'first rule removed': ({ table }) =>
    `for six in -4 -6; do ip $six rule del lookup ${table} 2>/dev/null || true; done`,
  'table flushed': ({ table }) =>
    `for six in -4 -6; do ip $six route flush table ${table} 2>/dev/null || true; done`,
  'proxy_delay as it was': ({ device }) => `echo 80 >/proc/sys/net/ipv4/neigh/${device}/proxy_delay`,
  'IPv4 forwarding off': ({ device }) => `echo 0 >/proc/sys/net/ipv4/conf/${device}/forwarding`,
  'proxy_ndp switched': ({ device }) => flip(`/proc/sys/net/ipv6/conf/${device}/proxy_ndp`),
};

/** Damage to what is ours on an uplink. */
const uplinkHarms = ({ uplinks }: Target): fc.Arbitrary<Harm>[] =>
  uplinks.flatMap(uplink =>
    Object.entries(UPLINK_HARMS).map(([what, script]) =>
      fc.constant({ what: `${uplink.device}: ${what}`, script: script(uplink) }),
    ),
  );

/** What somebody else adds, and a VM is cut off by it or not. */
function foreignHarms({ addresses, uplinks }: Target): fc.Arbitrary<Harm> {
  const rule =
    (text: string) =>
    (address: string): Harm => ({
      what: `rule ${text} ${address}`,
      script: `ip ${six(address)} rule add ${text.replace('A', address)}`,
      undo: `ip ${six(address)} rule del ${text.replace('A', address)}`,
    });
  const address = fc.constantFrom(...addresses);
  const pair = (what: string, script: string, undo: string): fc.Arbitrary<Harm> =>
    fc.constant({ what, script, undo });
  return fc.oneof(
    ...['to A unreachable pref 90', 'from A prohibit pref 91', 'to A blackhole pref 92'].map(text =>
      address.map(rule(text)),
    ),
    fc.tuple(address, fc.constantFrom('lo', 'eth0')).map(([one, device]) => ({
      what: `the host has ${one} on ${device}`,
      script: `ip address add ${one} dev ${device} ${one.includes(':') ? 'nodad' : ''}`,
      undo: `ip address del ${one} dev ${device}`,
    })),
    ...[1, 2].map(value =>
      pair(
        `all.arp_ignore ${value}`,
        `echo ${value} >/proc/sys/net/ipv4/conf/all/arp_ignore`,
        'echo 0 >/proc/sys/net/ipv4/conf/all/arp_ignore',
      ),
    ),
    pair('an obstacle in iptables', 'iptables -A FORWARD -j DROP', 'iptables -D FORWARD -j DROP'),
    pair('a policy of DROP', 'iptables -P FORWARD DROP', 'iptables -P FORWARD ACCEPT'),
    pair(
      'an nft table that drops',
      'nft "add table inet theirs { chain forward { type filter hook forward priority 0; policy drop; }; }"',
      'nft delete table inet theirs',
    ),
    ...['bridge', 'arp'].map(family =>
      pair(
        `an nft table of ${family} that drops`,
        `nft "add table ${family} theirs { chain in { type filter hook input priority 0; policy drop; }; }"`,
        `nft delete table ${family} theirs`,
      ),
    ),
    ...uplinks.map(({ device, up }) => pair(`${device} down`, `ip link set ${device} down`, up)),
    pair('no default route', 'ip route del default', 'ip route add default via 123.45.12.1 dev eth0 onlink'),
  );
}

/** From one to three damages, most of them to our own files and state. */
export const harms = (target: Target): fc.Arbitrary<Harm[]> =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fileHarm },
      { weight: 4, arbitrary: kernelHarms(target) },
      { weight: 1, arbitrary: foreignHarms(target) },
    ),
    { minLength: 1, maxLength: 3 },
  );
