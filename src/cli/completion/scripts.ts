import type { Command } from 'commander';
import { bashScript } from './bash.ts';
import { fishAssignScript, fishScript } from './fish.ts';
import { readTree } from './outline.ts';
import { zshScript } from './zsh.ts';

/** The files of each shell: names by which it finds what completes a command. */
export const SHELLS = {
  bash: { hnet: bashScript, 'hnet-assign': bashScript },
  zsh: { _hnet: zshScript },
  fish: { 'hnet.fish': fishScript, 'hnet-assign.fish': fishAssignScript },
} as const;

/** Every script by its path: the shell, then the file's name. */
export function completionFiles(program: Command): Map<string, string> {
  const outline = readTree(program);
  return new Map(
    Object.entries(SHELLS).flatMap(([shell, files]) =>
      Object.entries(files).map(([name, script]) => [`${shell}/${name}`, script(outline)] as const),
    ),
  );
}
