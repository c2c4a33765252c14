import { bounded } from '../model/mtu.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

/**
 * Whether the configuration gives bridges a larger MTU than the way out has. TCP is held to what the uplink takes, by the
 * filter; who sends other large packets to a VM learns of it only from a router's message (RFC 1191), which many networks
 * drop.
 */
export function checkMtu(facts: Facts): Diagnosis[] {
  const [config, uplinks] = [knownValue(facts.config), knownValue(facts.uplinks)];
  if (config?.mtu === undefined || uplinks === undefined) return [];
  const [given, smallest] = [config.mtu, uplinks.toSorted((a, b) => a.mtu - b.mtu)[0]];
  if (smallest === undefined || given <= bounded(smallest.mtu)) return [];
  const { device, mtu } = smallest;
  return diagnosis(
    `mtu is ${given} in hnet.toml, and ${device} takes packets of ${mtu} bytes`,
    'where a network drops the message "packet too big", whatever VMs exchange by large packets, other than TCP, is lost',
    `hnet sync  # after mtu = ${bounded(mtu)} in /etc/hnet/hnet.toml, or without mtu`,
  );
}
