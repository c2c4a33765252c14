import { parseChains } from '../../src/firewall/iptables/text.ts';
import type { RuleLine } from '../../src/model/view.ts';
import type { Action } from '../../src/resources/action.ts';

/** What `iptables-save -c` prints once these commands have run on a host that has no rules of anyone. */
export function printed(actions: readonly Action[]): string {
  return actions.flatMap(action => (action.kind === 'run' ? tableOf(action.stdin ?? '') : [])).join('\n');
}

function tableOf(restored: string): string[] {
  const lines = restored.split('\n').filter(line => line !== '' && line !== 'COMMIT');
  const inserted = lines.filter(line => line.startsWith('-I '));
  const builtin = new Set(inserted.map(line => line.split(' ')[1] ?? ''));
  return [
    ...lines.filter(line => /^[*:]/.test(line)).slice(0, 1),
    ...[...builtin].map(name => `:${name} ACCEPT [0:0]`),
    ...lines.filter(line => line.startsWith(':')),
    ...inserted.map(line => `[0:0] ${line.replace(/^-I (\S+) 1 /, '-A $1 ')}`),
    ...lines.filter(line => line.startsWith('-A ')).map(line => `[3:180] ${line}`),
    'COMMIT',
  ];
}

export const chainsOf = (saved: string): Map<string, RuleLine[]> => parseChains(saved, 4);
