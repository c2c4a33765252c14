/** Reads other people's chains, whichever tool made them. */
import { cutsIn } from '../../firewall/foreign/cuts.ts';
import { kindOf, parseSaved } from '../../firewall/foreign/parse-iptables.ts';
import { hasUnclearFlags, isRouted, parseTables, RULESET } from '../../firewall/foreign/parse-nft.ts';
import type { Firewall } from '../../firewall/rules/backend.ts';
import type { ForeignFilters } from '../../model/view.ts';
import { readIfThere } from '../files.ts';
import type { Tools } from '../host.ts';

export function observeForeign(tools: Tools, firewall: Firewall): ForeignFilters {
  const saved = firewall.families.flatMap(family =>
    savedBy(tools, family === 4 ? 'ip' : 'ip6', firewall).flatMap(text => parseSaved(text, family)),
  );
  // A table that iptables can't read isn't its own, whatever its name.
  const readable = new Set(saved.filter(({ by }) => by === 'iptables-nft').map(({ family }) => family));
  const listing = tools.output(RULESET);
  const listed = hasUnclearFlags(listing) ? tools.output(['nft', '-t', 'list', 'ruleset']) : undefined;
  const all = parseTables(listing, listed);
  const rest = all
    .filter(table => isRouted(table) && (table.by === 'nft' || !readable.has(table.family)))
    .map(table => ({ ...table, by: 'nft' as const }));
  const firewalld = rest.some(({ family, name }) => family === 'inet' && name === 'firewalld');
  return {
    tables: [...rest, ...saved],
    cuts: cutsIn(all),
    complete: true,
    carry: firewalld ? carried(tools) : [],
  };
}

/** What both kinds of iptables print. A look at our own chains has asked the one that they stand in already. */
function savedBy(tools: Tools, tool: 'ip' | 'ip6', { name }: Firewall): string[] {
  const own = name === 'iptables' ? tools.output([`${tool}tables-save`, '-c']) : '';
  const kind = kindOf(own);
  return [
    own,
    kind === 'iptables-nft' ? '' : tools.output([`${tool}tables-nft-save`]),
    kind === 'iptables-legacy' ? '' : savedByLegacy(tools, tool),
  ];
}

/** iptables-legacy loads the module of a table that it is asked for, so it is asked only for what is loaded. */
function savedByLegacy(tools: Tools, family: 'ip' | 'ip6'): string {
  const loaded = readIfThere(`/proc/net/${family}_tables_names`)?.split('\n') ?? [];
  return loaded.includes('filter') ? tools.output([`${family}tables-legacy-save`, '-t', 'filter']) : '';
}

function carried(tools: Tools): ForeignFilters['carry'] {
  return [
    { argv: ['iptables-restore', '-c'], text: tools.output(['iptables-save', '-c']) },
    { argv: ['ip6tables-restore', '-c'], text: tools.output(['ip6tables-save', '-c']) },
    { argv: ['ebtables-restore'], text: tools.output(['ebtables-save']) },
  ].filter(({ text }) => text.includes('COMMIT') || text.includes('*'));
}
