import { guestNetwork, type StaticNetwork } from '../../src/guest/network.ts';
import { parsePrefix } from '../../src/model/address.ts';
import type { Address } from '../../src/model/bridge.ts';
import type { Domain } from '../../src/model/domain.ts';

export const UUID = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';
const DNS = ['9.9.9.9', '2620:fe::fe'];

/** A domain with so many interfaces, the first on br0, the second on br1 … */
export function domainWith(count: number, name = 'vm1'): Domain {
  const element = { name: 'interface', namespace: '', attributes: new Map<string, string>(), children: [] };
  const nics = Array.from({ length: count }, (_, index) => ({
    mac: `52:54:00:00:00:0${index}`,
    type: 'bridge',
    source: `br${index}`,
    tap: undefined,
    isOff: false,
    element,
  }));
  return { uuid: UUID, name, nics, intent: { kind: 'none' } };
}

/** What is assigned on each bridge in turn. */
export const assign = (bridges: readonly (readonly string[])[]): Address[] =>
  bridges.flatMap((texts, index) =>
    texts.map(text => ({
      prefix: parsePrefix(text),
      bridge: `br${index}`,
      scope: parsePrefix(`172.30.${index}.0/24`),
    })),
  );

/** The host, and the MTU of the bridges. */
export const AROUND = { gateway: parsePrefix('123.45.12.48'), mtuFor: () => 1500 };

/** The network of vm1 with these addresses on its interfaces, at the host 123.45.12.48. */
export function networkFor(
  bridges: readonly (readonly string[])[],
  names: readonly string[] = [],
  around = AROUND,
): StaticNetwork {
  const dhcp = { dns: DNS.map(parsePrefix), domain: 'lan' };
  return guestNetwork(domainWith(bridges.length), assign(bridges), around, dhcp, names);
}
