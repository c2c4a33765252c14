/** Questions to `ip`, many in one process, and which answer belongs to which. */
import { ifPossible, quote, Refusal } from '../model/refusal.ts';

/** Each key has one question, in the words that follow `ip`, or a question for each of several things. */
export type Queries = Readonly<Record<string, string | ReadonlyMap<unknown, string>>>;

/** What `ip` found; where it failed, nothing, and its words. */
export interface Answer {
  readonly found: readonly unknown[];
  readonly failure?: string;
}

export type Answers<Q extends Queries> = {
  readonly [K in keyof Q]: Q[K] extends ReadonlyMap<infer Thing, string>
    ? ReadonlyMap<Thing, Answer>
    : Answer;
};

export const IP_BATCH = ['ip', '-json', '-details', '-force', '-batch', '-'];

/** The same question about each of several things. */
export const about = <Thing>(things: readonly Thing[], question: (thing: Thing) => string) =>
  new Map(things.map(thing => [thing, question(thing)]));

export const allFound = (answers: ReadonlyMap<unknown, Answer>): readonly unknown[] =>
  [...answers.values()].flatMap(({ found }) => found);

/** The lines that `ip -batch` reads. */
export const linesOf = (queries: Queries): string[] => [
  ...new Set(
    Object.values(queries).flatMap(asked => (typeof asked === 'string' ? asked : [...asked.values()])),
  ),
];

/**
 * The answers by their keys. `ip` prints a line for each question, or fails and says so with the question's number.
 * @throws Refusal if their numbers don't add up: then nobody can tell which answer belongs to which question
 */
export function toAnswers<Q extends Queries>(queries: Q, stdout: string, stderr: string): Answers<Q> {
  const lines = linesOf(queries);
  const failures = failuresIn(stderr);
  const printed = stdout.split('\n').filter(line => line.trim() !== '');
  if (printed.length !== lines.length - failures.size)
    throw new Refusal(
      `Cannot read "${IP_BATCH.join(' ')}": it gave ${printed.length} answers to ${lines.length} queries, of which ${failures.size} failed`,
    );
  const answers = new Map(
    lines.map((line, index): [string, Answer] => {
      const failure = failures.get(index + 1);
      return [
        line,
        failure === undefined ? { found: listIn(printed.shift() ?? '[]') } : { found: [], failure },
      ];
    }),
  );
  const answerTo = (line: string): Answer => answers.get(line) ?? { found: [] };
  const answered = Object.entries(queries).map(([key, asked]) => [
    key,
    typeof asked === 'string'
      ? answerTo(asked)
      : new Map([...asked].map(([thing, line]) => [thing, answerTo(line)])),
  ]);
  return Object.fromEntries(answered) as Answers<Q>;
}

/** What `ip -json` printed for one question. @throws Refusal if it isn't a list */
export function listIn(text: string): readonly unknown[] {
  const found: unknown = ifPossible(() => JSON.parse(text));
  if (Array.isArray(found)) return found;
  throw new Refusal(`Cannot read what ip printed: ${quote(text.slice(0, 40))}… is no list in JSON`);
}

/** The failed questions by their numbers, from 1, each with what `ip` said before it told the number. */
function failuresIn(stderr: string): ReadonlyMap<number, string> {
  const found = stderr.matchAll(/((?:.*\n)*?)Command failed -:(\d+)$/gm);
  return new Map([...found].map(([, words = '', number]) => [Number(number), words.trim()]));
}
