/** What work for an operator is done with: the host, the configuration, and a way to say something. */
import type { Config } from '../model/config.ts';
import type { Host } from './host.ts';

export interface Context {
  /** Says a line to people. Under `--json` nobody gets it. */
  readonly print: (line: string) => void;
  readonly warn: (line: string) => void;
  /** Says what is being done that may take seconds, to whoever waits at a terminal. The next line takes its place. */
  readonly progress: (doing: string) => void;
  /** What programs get under `--json`: one object, as docs/schema has it for the command. */
  readonly answer: (value: object) => void;
  /** What programs get under `--json` of a command that goes on: an object on a line of its own, at once. */
  readonly stream: (value: object) => void;
  readonly host: Host;
  /** The configuration, read when it is first asked for: one command goes by one configuration. */
  readonly config: () => Config;
  /** Whether standard output is a terminal that takes colour. */
  readonly colour: boolean;
}
