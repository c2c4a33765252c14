import { parsePrefix } from '../../src/model/address.ts';
import type { Address } from '../../src/model/bridge.ts';
import { renderAssignment } from '../../src/model/metadata.ts';
import { OPEN } from '../../src/model/policy.ts';

export interface Member {
  readonly domain: string;
  readonly name: string;
  readonly address: Address;
}

/** The configuration under which members 0 to 16,383 have an address and a scope of their own. */
export const CONFIG = `pools = ["10.32.0.0/16"]
[dhcp]
scopes = "10.64.0.0/10"
dns = ["123.45.200.10"]
`;

/** One of a crowd of domains, by its number. */
export function member(number: number): Member {
  const [high, low] = [number >> 8, number & 255];
  const address = {
    prefix: parsePrefix(`10.32.${high}.${low}`),
    bridge: `br${high}-${low}`,
    scope: parsePrefix(`10.${64 + high}.${low}.0/24`),
  };
  return {
    domain: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    name: `vm${number}`,
    address,
  };
}

/** What libvirt would give the hook for it, in the order in which libvirt writes it. */
export function memberXml(number: number): string {
  const { domain, name, address } = member(number);
  const assignment = renderAssignment({ owner: domain, addresses: [address], policy: OPEN });
  return `<domain type='qemu'>
  <name>${name}</name>
  <uuid>${domain}</uuid>
  <metadata>
    ${assignment.replace('<assignment', '<assignment xmlns="urn:hnet:1"')}
  </metadata>
  <memory unit='KiB'>131072</memory>
  <devices>
    <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='${address.bridge}'/></interface>
  </devices>
</domain>
`;
}
