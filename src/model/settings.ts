/** A domain's settings and interfaces in the words of hnet's answers. */
import type { DhcpMode } from './dhcp-mode.ts';
import { type Domain, forwardsOf, policyOf } from './domain.ts';
import { formatForward } from './forward-words.ts';
import type { Policy } from './policy.ts';
import { formatRule } from './rule.ts';

/** What a domain's metadata says beside its addresses, and its interfaces. */
export interface Settings {
  /** What its DHCP server hands out; null: what hnet.toml says. */
  readonly dhcp: DhcpMode | null;
  /** What its boot ROMs load; null: what hnet.toml says. */
  readonly boot: string | null;
  readonly default: Policy['inbound'];
  readonly isolate: boolean;
  readonly rules: readonly string[];
  /** Ports of the host that lead to it. */
  readonly forwards: readonly string[];
  readonly interfaces: readonly Interface[];
}

export interface Interface {
  readonly mac: string;
  readonly type: string;
  readonly source: string | null;
}

export function settingsOf(domain: Domain): Settings {
  const { inbound, isolate, rules } = policyOf(domain);
  const own = domain.intent.kind === 'assigned' ? domain.intent.assignment : undefined;
  return {
    dhcp: own?.dhcp ?? null,
    boot: own?.boot ?? null,
    default: inbound,
    isolate,
    rules: rules.map(formatRule),
    forwards: forwardsOf(domain).map(formatForward),
    interfaces: interfacesOf(domain),
  };
}

export const interfacesOf = ({ nics }: Domain): Interface[] =>
  nics.map(({ mac, type, source }) => ({ mac, type, source: source ?? null }));
