/** Reads what stands beside our filter: other people's chains, by whichever tool they were made. */
import type { Firewall } from './firewall/firewall.ts';
import type { Strangers } from './firewall/strangers.ts';
import { parseSaved } from './firewall/strangers-iptables.ts';
import { parseRuleset, RULESET } from './firewall/strangers-nft.ts';
import { CommandFailure, type Host, readIfThere } from './host.ts';

/**
 * @param firewall the backend in use: the kind of iptables it stands in is no stranger, for our jump comes first
 * there
 */
export function observeStrangers(host: Host, firewall: Firewall): Strangers {
  const listed = parseRuleset(text(host, RULESET));
  const own = firewall.name === 'iptables' ? text(host, ['iptables', '-V']) : '';
  const nft = parseSaved(text(host, ['iptables-nft-save']), 'iptables-nft', own.includes('nf_tables'));
  const legacy = parseSaved(savedByLegacy(host), 'iptables-legacy', own !== '' && !own.includes('nf_tables'));
  // What iptables can't read isn't its own, whatever the names in it.
  const rest = listed
    .filter(({ by }) => by === 'nft' || nft.length === 0)
    .map(table => ({ ...table, by: 'nft' as const }));
  const tables = [...rest, ...nft, ...legacy];
  const firewalld = rest.some(({ family, name }) => family === 'inet' && name === 'firewalld');
  return { tables, complete: true, carry: firewalld ? carried(host) : [] };
}

/** Reading a table that isn't there would make it: iptables loads the modules for it. */
function savedByLegacy(host: Host): string {
  const loaded = readIfThere('/proc/net/ip_tables_names')?.split('\n') ?? [];
  return loaded.includes('filter') ? text(host, ['iptables-legacy-save', '-t', 'filter']) : '';
}

function carried(host: Host): Strangers['carry'] {
  return [
    { argv: ['iptables-restore', '-c'], text: text(host, ['iptables-save', '-c']) },
    { argv: ['ip6tables-restore', '-c'], text: text(host, ['ip6tables-save', '-c']) },
    { argv: ['ebtables-restore'], text: text(host, ['ebtables-save']) },
  ].filter(({ text }) => text.includes('COMMIT') || text.includes('*'));
}

/** A tool that fails, or isn't installed, has nothing to show. */
function text(host: Host, argv: readonly string[]): string {
  try {
    return host.run(argv);
  } catch (error) {
    if (error instanceof CommandFailure) return '';
    throw error;
  }
}
