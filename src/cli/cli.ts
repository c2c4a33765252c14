import { basename } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { Refusal, reason, UsageRefusal, visible } from '../model/refusal.ts';
import { commandLine } from '../model/shell.ts';
import { ownVersion } from '../model/version.ts';
import { makeContext } from './commands/context.ts';
import { EXIT } from './exit-codes.ts';
import { asksForJson, toPeople, toPrograms } from './output.ts';
import { makeTree, pathOf, verbOf } from './tree/tree.ts';
import type { Group } from './tree/verb.ts';

/** What a shell reports of a program that SIGPIPE ended. */
const SIGPIPE = 141;

/** Runs the command line of this process. `hnet-assign` is `hnet assign`. */
export function main([, program = '', ...argv]: readonly string[], groups: readonly Group[]): void {
  // The reader has gone (`| head`). That is no error: commands print when their work is done.
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') process.stderr.write(`hnet: Cannot write: ${message}\n`);
    process.exit(code === 'EPIPE' ? SIGPIPE : 1);
  });
  process.exitCode = run(basename(program).startsWith('hnet-assign') ? ['assign', ...argv] : argv, groups);
}

/** @returns the exit code */
function run(argv: readonly string[], groups: readonly Group[]): number {
  const output = asksForJson(argv) ? toPrograms() : toPeople();
  try {
    const refuseWithoutRoot = (command: Command): void => {
      if (verbOf(command)?.isForAll !== true && process.getuid?.() !== 0)
        throw new Refusal(
          `${pathOf(command).join(' ')} needs root: ${commandLine(['sudo', 'hnet', ...argv])}`,
        );
    };
    makeTree(groups, ownVersion(), options => makeContext(options, output))
      .hook('preAction', (_, command) => refuseWithoutRoot(command))
      .parse(argv, { from: 'user' });
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    // Help and the version are such errors too.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    output.failed(reason(error).replace(/^error: /, ''));
    if (error instanceof CommanderError) return EXIT.usage;
    if (!isClear(error)) throw error;
    process.stderr.write(`hnet: ${visible(reason(error))}\n`);
    return error instanceof UsageRefusal ? EXIT.usage : EXIT.failed;
  } finally {
    output.end();
  }
}

/** A refusal, or an error of the system (no space is left, say). Any other is a bug, and keeps its stack trace. */
const isClear = (error: unknown): boolean =>
  error instanceof Refusal || (error instanceof Error && 'syscall' in error);
