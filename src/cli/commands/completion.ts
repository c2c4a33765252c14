import type { Command } from 'commander';
import type { Context } from '../../host/context.ts';
import { quote, UsageRefusal } from '../../model/refusal.ts';
import { readTree } from '../completion/outline.ts';
import { SHELLS } from '../completion/scripts.ts';

/** Prints the script that completes hnet in a shell. */
export function completion(program: Command, shell: string, { print }: Context): void {
  const scripts = Object.entries(SHELLS).find(([name]) => name === shell)?.[1];
  if (scripts === undefined)
    throw new UsageRefusal(`Cannot complete in ${quote(shell)}: it is ${Object.keys(SHELLS).join(', ')}`);
  const outline = readTree(program);
  for (const script of new Set(Object.values(scripts))) print(script(outline).trimEnd());
}
