import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

/** Of Ethernet, and of every bridge that nobody set another for. */
const ORDINARY = 1500;

/**
 * Whether the way out takes smaller packets than the bridges do. Then whoever sends to a VM learns the size only from a
 * router's message (RFC 1191), which many networks drop: a download hangs at its first full packet.
 */
export function checkMtu(facts: Facts): Diagnosis[] {
  const device = knownValue(facts.uplinks)?.[0].device;
  if (device === undefined) return [];
  const uplink = mtuOf(device, facts);
  const smallest = Math.min(uplink, ...routeMtus(facts));
  const bridges = [...facts.network.links].filter(([, { alias }]) => alias.startsWith('hnet '));
  const largest = Math.max(ORDINARY, ...bridges.map(([name]) => mtuOf(name, facts)));
  if (smallest >= largest) return [];
  const where =
    smallest < uplink ? `the default route's MTU is ${smallest}` : `the MTU of ${device} is ${smallest}`;
  return diagnosis(
    `${where}, and VMs send and expect packets of ${largest} bytes`,
    'where a network drops the message "packet too big", a download of a VM hangs at 0 bytes',
    clamp(device, facts),
  );
}

const mtuOf = (device: string, { file }: Facts): number =>
  Number(file(`/sys/class/net/${device}/mtu`)?.text.trim() || ORDINARY);

/** What the routes to the outside themselves say (`ip route … mtu 1400`). */
const routeMtus = ({ output }: Facts): number[] =>
  [
    ...`${output('ip', 'route', 'show', 'default')}\n${output('ip', '-6', 'route', 'show', 'default')}`.matchAll(
      / mtu (?:lock )?(\d+)/g,
    ),
  ].map(([, mtu]) => Number(mtu));

/** It lowers what both ends of a TCP connection announce as the size that they take, to what the route takes. */
function clamp(device: string, { output }: Facts): string {
  const rule = `-A FORWARD -o ${device} -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`;
  if (output('iptables', '--version') !== '')
    return `iptables -t mangle ${rule} && ip6tables -t mangle ${rule}  # or set the MTU of each VM's interface`;
  return `nft 'add table inet clamp; add chain inet clamp forward { type filter hook forward priority mangle; }; add rule inet clamp forward oifname "${device}" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu'  # or set the MTU of each VM's interface`;
}
