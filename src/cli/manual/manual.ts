import type { Command } from 'commander';
import { commandPage } from './command-page.ts';
import { configPage } from './config-page.ts';
import { programPage } from './program-page.ts';
import { type Edition, renderPage } from './roff.ts';

/** Every page by its file's name: hnet(8), one for each command, and hnet.toml(5). */
export const manual = (program: Command, edition: Edition): Map<string, string> =>
  new Map(
    [programPage(program), ...program.commands.map(commandPage), configPage()].map(page => [
      `${page.name}.${page.section}`,
      renderPage(page, edition),
    ]),
  );
