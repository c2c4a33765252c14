import type { KnownPeer } from '../../cluster/peers.ts';
import { wireAddresses } from '../../cluster/self.ts';
import { format } from '../../model/address.ts';
import type { ClusterSettings } from '../../model/config.ts';
import { FAMILIES, type Prefix } from '../../model/prefix.ts';
import { sysctlPath } from '../../resources/action.ts';
import { type Diagnosis, diagnosis } from '../diagnosis.ts';
import { clusterOf, type Facts, knownValue, leadsTo } from '../facts.ts';

/** IP and ICMP headers. */
const HEADERS = { 4: 28, 6: 48 } as const;

export function checkWire(facts: Facts): Diagnosis[] {
  const cluster = clusterOf(facts);
  if (cluster === undefined) return [];
  const { wire } = cluster;
  const link = facts.network.links.get(wire);
  if (!link?.up)
    return diagnosis(
      `the wire ${wire} is ${link === undefined ? 'missing' : 'down'}`,
      'this host reaches none of the others',
      `ip link set ${wire} up`,
    );
  return [
    ...checkAddresses(cluster, facts),
    ...checkStrict(wire, facts),
    ...facts.cluster.peers.filter(({ isUp }) => isUp).flatMap(peer => checkWay(peer, link.mtu, facts)),
  ];
}

function checkAddresses(cluster: ClusterSettings, facts: Facts): Diagnosis[] {
  const own = wireAddresses(cluster, facts.network);
  const pools = knownValue(facts.config)?.pools ?? [];
  return FAMILIES.filter(
    family => pools.some(pool => pool.family === family) && !own.some(one => one.family === family),
  ).flatMap(family =>
    diagnosis(
      `${cluster.wire} has no IPv${family} address`,
      `VMs' IPv${family} addresses do not follow them to other hosts`,
      `ip address add ${family === 4 ? '10.9.0.N/24' : 'fd00:9::N/64'} dev ${cluster.wire}  # and in the file that configures it`,
    ),
  );
}

/** The kernel takes the larger value of an interface and of all. */
function checkStrict(wire: string, facts: Facts): Diagnosis[] {
  const filterOf = (device: string): number =>
    Number(facts.file(sysctlPath('ipv4', device, 'rp_filter'))?.text ?? 0);
  const strictOn = (device: string): boolean => Math.max(filterOf('all'), filterOf(device)) === 1;
  const uplinks = (knownValue(facts.uplinks) ?? []).map(({ device }) => device).filter(one => one !== wire);
  return [
    ...(strictOn(wire)
      ? diagnosis(
          `rp_filter is 1 on ${wire}`,
          'what another host passes on from the Internet is dropped there',
          `sysctl -w net.ipv4.conf.${wire}.rp_filter=2`,
        )
      : []),
    ...uplinks
      .filter(strictOn)
      .flatMap(device =>
        diagnosis(
          `rp_filter is 1 on ${device}`,
          "what VMs of other hosts send to this host's own address is dropped there",
          `sysctl -w net.ipv4.conf.${device}.rp_filter=2`,
        ),
      ),
  ];
}

/** Whether packets as large as the wire's own end takes get to the other, and libvirt is reached there by its name. */
function checkWay({ host, wire: addresses }: KnownPeer, mtu: number, facts: Facts): Diagnosis[] {
  const [address] = addresses;
  if (address === undefined) return [];
  const reached = ping(address, 0, facts);
  if (!reached)
    return diagnosis(
      `${host} doesn't answer at ${format(address)}`,
      'packets between its VMs and those of this host are lost',
      `ping ${format(address)}`,
    );
  return [
    ...(ping(address, mtu - HEADERS[address.family], facts)
      ? []
      : diagnosis(
          `the wire to ${host} does not carry packets of ${mtu} bytes`,
          'larger packets are lost, a running migration hangs',
          'ip link set dev DEVICE mtu 1400  # on each host; a Hetzner vSwitch takes 1400',
        )),
    ...checkName(host, addresses, facts),
    ...checkPorts(host, address, facts),
  ];
}

const ping = (address: Prefix, size: number, { output }: Facts): boolean =>
  output(...['ping', '-n', '-q', '-c1', '-W1', '-M', 'do', '-s', String(size), format(address)]) !== '';

/** libvirt sends a VM to where the other host's name leads. */
function checkName(host: string, addresses: readonly Prefix[], facts: Facts): Diagnosis[] {
  const found = leadsTo(host, facts);
  if (addresses.some(one => format(one) === found)) return [];
  return diagnosis(
    `the name ${host} ${found === '' ? 'leads nowhere' : `leads to ${found}, and not to the wire`}`,
    'virsh migrate to it copies by another way, or fails',
    `echo "${format(addresses[0] as Prefix)} ${host}" >>/etc/hosts`,
  );
}

/** ssh, libvirt's TLS and its plain TCP: by one of them virsh migrate comes in. */
const PORTS = ['22', '16514', '16509'];

function checkPorts(host: string, address: Prefix, { output }: Facts): Diagnosis[] {
  const isOpen = (port: string): boolean =>
    output('timeout', '1', 'bash', '-c', 'exec 3<>"/dev/tcp/$0/$1" && echo open', format(address), port) !==
    '';
  if (PORTS.some(isOpen)) return [];
  return diagnosis(
    `libvirt of ${host} isn't reached: the ports ${PORTS.join(', ')} are closed at ${format(address)}`,
    'virsh migrate needs one of them, and 49152 to 49215 beside',
    `systemctl enable --now libvirtd-tls.socket  # on ${host}; or open ssh there`,
  );
}
