import { aliasOwner } from '../model/names.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';
import { ORDINARY, wayOut } from './way-out.ts';

/**
 * Whether the way out takes smaller packets than the bridges do. Then whoever sends to a VM learns the size only from a
 * router's message (RFC 1191), which many networks drop: a download hangs at its first full packet.
 */
export function checkMtu(facts: Facts): Diagnosis[] {
  const bridges = [...facts.network.links.values()].filter(({ alias }) => aliasOwner(alias) !== undefined);
  const largest = bridges.length === 0 ? ORDINARY : Math.max(...bridges.map(one => one.mtu));
  const devices = new Set((knownValue(facts.uplinks) ?? []).map(({ device }) => device));
  return [...devices].flatMap(device => checkWay(device, largest, facts));
}

function checkWay(device: string, largest: number, facts: Facts): Diagnosis[] {
  const { mtu, where } = wayOut(device, facts.network, facts.output);
  if (mtu >= largest) return [];
  return diagnosis(
    `${where}, and VMs send and expect packets of ${largest} bytes`,
    'where a network drops the message "packet too big", a download of a VM hangs at 0 bytes',
    clamp(device, facts),
  );
}

/** It lowers what both ends of a TCP connection announce as the size that they take, to what the route takes. */
function clamp(device: string, { output }: Facts): string {
  const rule = `-A FORWARD -o ${device} -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`;
  if (output('iptables', '--version') !== '')
    return `iptables -t mangle ${rule} && ip6tables -t mangle ${rule}  # or set the MTU of each VM's interface`;
  return `nft 'add table inet clamp; add chain inet clamp forward { type filter hook forward priority mangle; }; add rule inet clamp forward oifname "${device}" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu'  # or set the MTU of each VM's interface`;
}
