/** Everything that doctor finds on a host of a cluster, as doctor-cases.ts. */
import { hostname } from 'node:os';
import { etcdctl } from '../../src/cluster/etcdctl.ts';
import type { KnownPeer } from '../../src/cluster/peers.ts';
import { bird } from '../../src/guest/routing/bird.ts';
import { parseAddress, parsePrefix } from '../../src/model/address.ts';
import { UPLINK } from '../support/uplink.ts';
import { type Change, configured, factsOf, file, known, link, NETWORK } from './doctor-host.ts';

export const ENDPOINTS = [1, 2, 9].map(last => `https://10.9.0.${last}:2379`);
const table = (endpoints: readonly string[]) => `[cluster]
name = "fra"
host = "h1"
interface = "wire"
etcd = ${JSON.stringify(endpoints)}
announce = "bgp"`;
const POOLS = '"123.45.90.112/29", "123.45.53.11"';

const SELF = {
  host: 'h1',
  wire: [parseAddress('10.9.0.1')],
  uplinks: [],
  uuid: '11111111-1111-4111-8111-111111111111',
  version: '0.3.0',
  filter: 'nftables',
  pools: '123.45.53.11, 123.45.90.112/29',
  scopes: '172.30.0.0/16',
};
const peer = (more: Partial<KnownPeer> = {}): KnownPeer => ({
  ...SELF,
  host: 'h2',
  wire: [parseAddress('10.9.0.2')],
  uuid: '22222222-2222-4222-8222-222222222222',
  seen: '2026-11-28T21:00:00.000Z',
  isUp: true,
  ...more,
});

const CONF =
  bird({
    cluster: 'fra',
    host: 'h1',
    wire: 'wire',
    addresses: SELF.wire,
    peers: [peer()],
    reflectors: [],
    pools: [parsePrefix('123.45.90.112/29')],
    uplinks: [UPLINK],
    isUpstream: true,
  })[0]?.text ?? '';
const SESSION = (state: string) => `BIRD 2.0.12 ready.
Name       Proto      Table      State  Since         Info
kernel4    Kernel     master4    up     21:47:00.101
h2_4       BGP        ---        ${state}
    Neighbor address: 10.9.0.2
`;
const ESTABLISHED = SESSION('up     21:47:02.384  Established');
const ping = (size: number) => `ping -n -q -c1 -W1 -M do -s ${size} 10.9.0.2`;
const port = (number: number) => `timeout 1 bash -c exec 3<>"/dev/tcp/$0/$1" && echo open 10.9.0.2 ${number}`;
const health = (endpoints: readonly string[]): string =>
  [...etcdctl({ endpoints, ca: undefined, cert: undefined, key: undefined }), 'endpoint', 'health'].join(' ');
export const members = [
  ...etcdctl({ endpoints: ENDPOINTS, ca: undefined, cert: undefined, key: undefined }),
  'member',
  'list',
].join(' ');
export const count = (number: number): string => Array.from({ length: number }, () => '{"ID":1}').join();

/** A host of a cluster of two that is fit, but for a change. */
export function clustered(
  { files, outputs, ...rest }: Change,
  endpoints = ENDPOINTS,
): ReturnType<typeof factsOf> {
  return factsOf({
    ...configured(POOLS, table(endpoints)),
    network: {
      ...NETWORK,
      links: new Map([...NETWORK.links, ['wire', link({ mtu: 1400 })]]),
      addresses: new Map([...NETWORK.addresses, ['wire', ['10.9.0.1/24']]]),
    },
    cluster: { self: known(SELF), peers: [peer()] },
    files: { '/etc/bird/bird.conf': file(CONF), ...files },
    outputs: {
      ...Object.fromEntries(endpoints.map(one => [health([one]), '[{"health":true}]'])),
      [members]: count(3),
      'birdc show protocols all': ESTABLISHED,
      [ping(0)]: '1 received',
      [ping(1372)]: '1 received',
      [port(22)]: 'open',
      'getent ahosts h2': '10.9.0.2       STREAM h2\n',
      [`getent ahosts ${hostname()}`]: '10.9.0.1       STREAM\n',
      'timedatectl show --property=NTPSynchronized --value': 'yes\n',
      ...outputs,
    },
    ...rest,
  });
}

const without = (line: RegExp): Change => ({
  files: { '/etc/bird/bird.conf': file(CONF.replace(line, '')) },
});
const peers = (...all: readonly KnownPeer[]): Change => ({ cluster: { self: known(SELF), peers: all } });

export const CASES: Readonly<Record<string, readonly [Change, RegExp, RegExp]>> = {
  'one silent member of etcd': [
    { outputs: { [health([ENDPOINTS[2] ?? ''])]: undefined } },
    /^etcd doesn't answer at https:\/\/10\.9\.0\.9:2379$/,
    /the others have a quorum/,
  ],
  'etcd without a quorum': [
    { outputs: { [health([ENDPOINTS[2] ?? ''])]: undefined, [health([ENDPOINTS[1] ?? ''])]: undefined } },
    /^etcd doesn't answer at/,
    /without a quorum no address is given/,
  ],
  'two members of etcd': [
    { outputs: { [members]: count(2) } },
    /^etcd has 2 members$/,
    /two fail sooner than one/,
  ],
  'one member of etcd': [{ outputs: { [members]: count(1) } }, /^etcd has one member$/, /when that is down/],
  'no BIRD': [
    { outputs: { 'birdc show protocols all': undefined } },
    /^BIRD doesn't run$/,
    /no other host learns/,
  ],
  'a session that does not stand': [
    {
      outputs: {
        'birdc show protocols all': SESSION('start  21:47:02.384  Active        Socket: Connection refused'),
      },
    },
    /^BIRD has no session with h2 \(h2_4 to 10\.9\.0\.2 is start, Active: Socket: Connection refused\)$/,
    /do not reach each other/,
  ],
  'a host that BIRD was not told of': [
    { outputs: { 'birdc show protocols all': ESTABLISHED.replace('10.9.0.2', '10.9.0.7') } },
    /^BIRD has no session for h2$/,
    /addresses are not known here/,
  ],
  'a kernel protocol that does not learn': [without(/learn; /), /has no "learn"/, /BIRD doesn't see/],
  'one without our metric': [without(/metric 150; /), /the metric 150$/, /they win over/],
  'a filter that takes all routes': [
    without(/krt_source != 104 \|\| /),
    /routes of the protocol 104$/,
    /may be announced/,
  ],
  'a filter that knows no standby': [
    without(/else if krt_metric = 175.*/),
    /metrics 50, 175, 190|metrics .*175/,
    /wrong host/,
  ],
  'a scan once a minute': [without(/scan time 10; /), /scan time of more than 10 seconds$/, /found late/],
  'other pools': [
    peers(peer({ pools: '123.45.90.112/29' })),
    /^h2 has other pools: 123\.45\.90\.112\/29; here: /,
    /can't move unless both/,
  ],
  'the same UUID': [peers(peer({ uuid: SELF.uuid })), /^libvirt takes h2 for this host/, /refuses to move/],
  'an older hnet': [
    peers(peer({ version: '0.2.9' })),
    /^h2 has hnet 0\.2\.9, this host 0\.3\.0$/,
    /may not read/,
  ],
  'a wire that is down': [
    { network: { ...NETWORK, links: new Map([...NETWORK.links, ['wire', link({ up: false })]]) } },
    /^the wire wire is down$/,
    /reaches none of the others/,
  ],
  'a strict check of the way back': [
    { files: { '/proc/sys/net/ipv4/conf/wire/rp_filter': file('1\n') } },
    /^rp_filter is 1 on wire$/,
    /passes on/,
  ],
  'one on the uplink': [
    { files: { '/proc/sys/net/ipv4/conf/eth0/rp_filter': file('1\n') } },
    /^rp_filter is 1 on eth0$/,
    /own address/,
  ],
  'a wire that carries less than it takes': [
    { outputs: { [ping(1372)]: undefined } },
    /^the wire to h2 does not carry packets of 1400 bytes$/,
    /hangs/,
  ],
  'a host that is not there': [
    { outputs: { [ping(0)]: undefined } },
    /^h2 doesn't answer at 10\.9\.0\.2$/,
    /are lost/,
  ],
  'a name that leads to another way': [
    { outputs: { 'getent ahosts h2': '123.45.12.49   STREAM h2\n' } },
    /^the name h2 leads to 123\.45\.12\.49, and not to the wire$/,
    /another way/,
  ],
  'a libvirt that nobody reaches': [
    { outputs: { [port(22)]: undefined } },
    /^libvirt of h2 isn't reached/,
    /needs one/,
  ],
  'its own name on the loopback': [
    { outputs: { [`getent ahosts ${hostname()}`]: '127.0.1.1       STREAM\n' } },
    /^this host's own name, .* leads to 127\.0\.1\.1$/,
    /back to the host it comes from/,
  ],
  'a clock that runs by itself': [
    { outputs: { 'timedatectl show --property=NTPSynchronized --value': 'no\n' } },
    /clock isn't synchronized$/,
    /side by side/,
  ],
};
