import { iptables } from '../firewall/iptables/iptables.ts';
import { nftables } from '../firewall/nftables/nftables.ts';
import type { Firewall } from '../firewall/rules/backend.ts';
import type { Attachment } from '../model/attachment.ts';
import { BACKENDS, type Backend, type Config } from '../model/config.ts';
import { FAMILIES, type Family, type Prefix } from '../model/prefix.ts';
import { hasTool } from './tools.ts';

const MAKERS = { iptables, nftables };

/** IPv4 always, for the bootstrap leases, and IPv6 if one of the prefixes is. */
export const familiesIn = (prefixes: readonly Prefix[]): readonly Family[] =>
  prefixes.some(({ family }) => family === 6) ? [4, 6] : [4];

/** A filter for the families of some prefixes: without IPv6 nothing of it is set up, looked at or waited for. */
export const firewallOf = (name: Firewall['name'], prefixes: readonly Prefix[]): Firewall =>
  MAKERS[name](familiesIn(prefixes));

/** With these a filter is that of all families: for removing one. */
export const EVERY_FAMILY: readonly Prefix[] = FAMILIES.map(family => ({ family, first: 0n, length: 0 }));

/** The filter of a running domain, for its own families and those of the pools. */
export const firewallFor = (
  { backend, addresses }: Pick<Attachment, 'backend' | 'addresses'>,
  pools: readonly Prefix[] = [],
): Firewall => firewallOf(backend, [...pools, ...addresses.map(({ prefix }) => prefix)]);

/** The programs that each backend needs. */
const PROGRAMS: Readonly<Record<Backend, readonly string[]>> = {
  iptables: ['iptables-restore', 'iptables-save', 'ipset'],
  nftables: ['nft'],
};

/** Whether all programs of a backend are there. */
export const isInstalled = (name: Backend): boolean => PROGRAMS[name].every(program => hasTool(program));

/**
 * The filter that the configuration chooses. `auto` is the one that stands, for it works in this kernel; before any does it
 * is iptables where that is complete, with ipset. `hnet base up` finds out whether it works, and else takes the other.
 */
export function chooseFirewall({ firewall, pools, inForce }: Choice): Firewall {
  if (firewall.backend !== 'auto') return firewallOf(firewall.backend, pools);
  const [first = 'nftables'] = candidates(inForce[0]?.backend).filter(isInstalled);
  return firewallOf(first, pools);
}

type Choice = Pick<Config, 'firewall' | 'pools' | 'inForce'>;

const candidates = (noted: Backend | undefined): Backend[] => [
  ...new Set([...(noted === undefined ? [] : [noted]), ...BACKENDS]),
];

/** What `auto` may take instead of a filter that doesn't work; undefined where the configuration names one. */
export function otherThan(failed: Firewall, { firewall, pools }: Choice): Firewall | undefined {
  const other = BACKENDS.find(name => name !== failed.name && isInstalled(name));
  return firewall.backend === 'auto' && other !== undefined ? firewallOf(other, pools) : undefined;
}
