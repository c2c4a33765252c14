/** What a full look at the host and a brief one have in common. */
import type { Firewall, Look } from '../../firewall/rules/backend.ts';
import type { View } from '../../model/view.ts';
import { CommandFailure } from '../command.ts';
import { readShortIfThere } from '../files.ts';
import type { Host, Tools } from '../host.ts';
import type { Answers, Queries } from '../query.ts';

/** What the tools print at one moment: each command runs once, however often it is asked for. */
export class Moment implements Tools {
  readonly #host: Host;
  readonly #printed = new Map<string, string>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Asks `ip`, which takes longest, and meanwhile runs commands that will be asked for later. */
  query<Q extends Queries>(queries: Q, commands: readonly (readonly string[])[]): Answers<Q> {
    return this.#host.query(queries, {
      commands,
      printed: (argv, output) => this.#printed.set(keyOf(argv), output),
    });
  }

  run(argv: readonly string[], stdin?: string): string {
    return this.#once(argv, () => this.#host.run(argv, stdin), stdin);
  }

  output(argv: readonly string[]): string {
    return this.#once(argv, () => this.#host.output(argv));
  }

  #once(argv: readonly string[], ask: () => string, stdin = ''): string {
    const key = keyOf(argv, stdin);
    const printed = this.#printed.get(key) ?? ask();
    this.#printed.set(key, printed);
    return printed;
  }
}

const keyOf = (argv: readonly string[], stdin = ''): string => [...argv, stdin].join('\0');

/**
 * What stands in the filter.
 * @throws CommandFailure if a command fails: an unreadable filter must not be taken for an empty one
 */
export function look(tools: Tools, { commands, parse }: Look): View['filter'] {
  return parse(
    commands.map(({ argv, stdin, failsIfEmpty }) => {
      try {
        return tools.run(argv, stdin);
      } catch (error) {
        if (failsIfEmpty && error instanceof CommandFailure) return '';
        throw error;
      }
    }),
  );
}

/** Whether anything of a filter of ours is there. */
export function stands(firewall: Firewall, tools: Tools): boolean {
  const { sets, chains } = look(tools, firewall.looks.traces);
  return (
    [...sets.keys()].some(name => name.startsWith('hnet')) ||
    [...chains.keys()].some(key => / hnet-/.test(key))
  );
}

/** A kernel setting, or another short file, trimmed; undefined if there is none. */
export const sysctl = (path: string): string | undefined => readShortIfThere(path)?.trim();
