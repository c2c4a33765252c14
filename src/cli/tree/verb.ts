/** The shape of a command. Help, man pages and completions are all made of it. */
import type { Command } from 'commander';
import type { Context } from '../../host/context.ts';
import type { Words } from './words.ts';

/** A command line as one types it, and what it does, in a sentence without a full stop. */
export type Example = readonly [run: string, does: string];

export interface Verb {
  readonly name: string;
  /** What it does, on one line: it begins in lower case and ends without a full stop. */
  readonly summary: string;
  /** What the summary doesn't say, in sentences; a paragraph each. */
  readonly description?: readonly string[];
  readonly examples: readonly [Example, Example, ...Example[]];
  /** Whether it works for every user. */
  readonly isForAll?: boolean;
  /** Its arguments, options and action; `context` makes what the action works with. */
  readonly define?: (command: Command, context: () => Context) => void;
  /** What may be typed for its arguments, by their names, and for the values of its options, by `--name`. */
  readonly words?: Readonly<Record<string, Words>>;
  /** The commands below it, as `up` is below `base`. */
  readonly verbs?: readonly Verb[];
}

/** A part of the tree, under a heading of its own in `hnet --help`. */
export interface Group {
  readonly title: string;
  /** Whether only other programs call them: help and completions don't show them. */
  readonly isHidden?: boolean;
  readonly verbs: readonly Verb[];
}

export const DOMAIN = ['<domain>', 'name or UUID'] as const;
export const ANY_DOMAIN = ['[domain]', 'name or UUID'] as const;
export const DRY_RUN = ['--dry-run', 'only say what would change'] as const;
/** Its answer keeps to the schema of its name in docs/schema. */
export const JSON_ANSWER = ['--json', 'answer programs, in JSON'] as const;
