import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { makeContext } from '../../src/cli/commands/context.ts';
import { toPeople } from '../../src/cli/output.ts';
import { makeTree } from '../../src/cli/tree/tree.ts';
import type { Group } from '../../src/cli/tree/verb.ts';

const TREE = fileURLToPath(new URL('../../src/cli/tree', import.meta.url));
const SHAPE = ['tree.ts', 'verb.ts', 'words.ts'];

/** The files that hold a group each. */
export const treeFiles = (): string[] =>
  readdirSync(TREE).filter(name => name.endsWith('.ts') && !SHAPE.includes(name));

/** The groups of the command line. */
export async function readGroups(): Promise<Group[]> {
  const modules: Record<string, Group>[] = await Promise.all(
    treeFiles().map(name => import(`${TREE}/${name}`)),
  );
  return modules.flatMap(Object.values);
}

/** The command line as `bin/cli.ts` makes it. */
export const readTree = async (): Promise<Command> =>
  makeTree(await readGroups(), '1.2.3', manner => makeContext(manner, toPeople()));

/** A command and all below it. */
export const family = (command: Command): Command[] => [command, ...command.commands.flatMap(family)];
