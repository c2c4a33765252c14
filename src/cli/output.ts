import { lineJson, readableJson } from '../model/json.ts';
import { printable } from '../model/refusal.ts';
import { Progress } from './progress.ts';

/** What one command says: to people, on two streams, or to programs, as one JSON object on standard output. */
export interface Output {
  /** A line for people. */
  readonly print: (line: string) => void;
  /** A sentence that doesn't keep the command from being done. */
  readonly warn: (sentence: string) => void;
  /** What is being done just now, for whoever waits at a terminal; see progress.ts. */
  readonly progress: (doing: string) => void;
  /** The object for programs; a later one replaces it. */
  readonly answer: (value: object) => void;
  /** One of many objects for programs, on a line of its own. */
  readonly stream: (value: object) => void;
  /** Why it couldn't be done; the caller tells people. */
  readonly failed: (sentence: string) => void;
  /** To be called once, when the command has ended. */
  readonly end: () => void;
}

const nothing = (): void => undefined;

export function toPeople(): Output {
  const progress = new Progress(process.stderr);
  const clear = (): void => progress.clear();
  return {
    print: line => {
      clear();
      say(process.stdout, line);
    },
    warn: sentence => {
      clear();
      warn(sentence);
    },
    progress: doing => progress.show(doing),
    answer: nothing,
    stream: nothing,
    failed: clear,
    end: clear,
  };
}

/** Warnings and errors also go to standard error, where a person looks who tries the program out. */
export function toPrograms(): Output {
  const progress = new Progress(process.stderr);
  const warnings: string[] = [];
  let answer = {};
  let failure = {};
  return {
    print: nothing,
    warn: sentence => {
      warnings.push(sentence);
      progress.clear();
      warn(sentence);
    },
    progress: doing => progress.show(doing),
    answer: value => {
      answer = value;
    },
    stream: value => say(process.stdout, lineJson(value)),
    failed: sentence => {
      progress.clear();
      failure = { error: sentence };
      answer = {};
    },
    end: () => {
      progress.clear();
      const whole = { ...failure, ...answer };
      if (Object.keys(whole).length > 0) say(process.stdout, readableJson({ ...whole, warnings }));
    },
  };
}

/** Whether a command line asks for JSON. It is read before the rest, so that what is wrong with it is told as JSON too. */
export const asksForJson = (argv: readonly string[]): boolean =>
  argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length).includes('--json');

const warn = (sentence: string): void => say(process.stderr, `hnet: ${sentence}`);

export const say = (stream: NodeJS.WriteStream, line: string): void =>
  void stream.write(`${printable(line)}\n`);
