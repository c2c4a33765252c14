/** Runs hnet: always by a list of words, never by a shell's text. */
import * as v from 'valibot';
import { Refusal } from '../../../src/model/refusal.ts';
import { type Argv, fullArgv } from '../model/commands.ts';
import { cockpit, type Problem } from './cockpit.ts';

/** It couldn't be started, or ended without an answer. */
class Unanswered extends Refusal {
  override readonly name = 'Unanswered';
  readonly problem: string | null;
  constructor(sentence: string, problem: string | null) {
    super(sentence);
    this.problem = problem;
  }
}

/**
 * What hnet answers as an object, also where it looked and found something (exit code 3).
 * @throws Refusal with hnet's own sentence where it couldn't do it, Unanswered where there is no answer
 */
export function ask<T extends v.GenericSchema>(argv: Argv, schema: T): Promise<v.InferOutput<T>> {
  return new Promise((resolve, reject) => {
    const settle = (output: string, problem?: Problem): void => {
      try {
        resolve(answerIn(output, schema, argv, problem));
      } catch (error) {
        reject(error);
      }
    };
    cockpit
      .spawn(fullArgv(argv, '--json'), { superuser: 'require', err: 'ignore' })
      .then(settle, (problem, output) => settle(output ?? '', problem));
  });
}

const ERROR = v.object({ error: v.string() });

function answerIn<T extends v.GenericSchema>(
  output: string,
  schema: T,
  argv: Argv,
  problem: Problem | undefined,
): v.InferOutput<T> {
  const value = jsonIn(output);
  const failed = v.safeParse(ERROR, value);
  if (failed.success) throw new Refusal(failed.output.error);
  if (value === undefined) throw unanswered(argv, problem);
  const read = v.safeParse(schema, value);
  if (read.success) return read.output;
  const [issue] = read.issues;
  throw new Refusal(
    `Cannot read the answer of hnet ${argv[0]}: ${v.getDotPath(issue) ?? 'all of it'}: ${issue.message}; install hnet and cockpit-hnet of one release`,
  );
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Cockpit's own words where the program didn't run to its end. */
export function unanswered(argv: Argv, problem: Problem | undefined): Unanswered {
  const what = `hnet ${argv[0]}`;
  const reason = problem?.problem ?? null;
  if (reason === 'not-found')
    return new Unanswered(`Cannot run ${what}: hnet is not installed; install the package hnet`, reason);
  if (reason === 'access-denied')
    return new Unanswered(`Cannot run ${what}: it needs administrative access`, reason);
  // A program that was killed has no words.
  const why = problem?.message?.trim() || 'it ended without an answer';
  return new Unanswered(`Cannot run ${what}: ${why}; journalctl -b may say more`, reason);
}
