/** The host's own uplink: how it is, and where that differs from what pure routing wants. */
import { format, formatLong } from '../model/address.ts';
import { isLinkLocal, isOfTwo } from '../model/prefix.ts';
import type { UplinkFacts } from '../model/uplink.ts';

/** The differences between the running uplink, in one family, and what pure routing needs; a phrase each. */
export function uplinkFaults(facts: UplinkFacts): string[] {
  const { family, device, gateway } = facts;
  // What is on the wire is looked for there, the host's neighbours too.
  const faults = facts.delivery === 'routed' ? subnetFaults(facts) : [];
  if (gateway === undefined) faults.push(`the IPv${family} default route through ${device} has no gateway`);
  if (!facts.forwarding) faults.push(`IPv${family} forwarding is off`);
  if (facts.protocol === 'ra' && facts.forwarding && facts.acceptRa !== '2')
    faults.push(
      `the IPv6 default route comes from router advertisements, which ${device} ignores while forwarding is on: set net.ipv6.conf.${device}.accept_ra=2, or make it static`,
    );
  return faults;
}

/** What keeps the host's neighbours from being looked for at the gateway. */
function subnetFaults({ family, device, address, length, gateway, onlink }: UplinkFacts): string[] {
  const faults: string[] = [];
  if (!isOfTwo({ family, length }))
    faults.push(
      `${format(address)} on ${device} has the length /${length} where /${address.length} belongs: the rest of that subnet is looked for on the wire instead of at the gateway`,
    );
  if (gateway !== undefined && !onlink && !isLinkLocal(gateway))
    faults.push(
      `the gateway ${format(gateway)} is reached by a subnet of ${device}: make it pointopoint, or its route on-link`,
    );
  return faults;
}

/** The state that {@link uplinkFaults} judges, in words. */
export function describeUplink({ device, address, length, gateway, onlink }: UplinkFacts): string {
  const via = gateway === undefined ? 'no gateway' : `gateway ${format(gateway)}${onlink ? ', on-link' : ''}`;
  return `${device}: ${formatLong({ ...address, length })}, ${via}`;
}
