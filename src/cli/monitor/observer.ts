/** Looks at the host when something has happened, and says what has changed. */

import { Sources } from '../../host/source.ts';
import type { Config } from '../../model/config.ts';
import type { Entry } from '../../model/journal.ts';
import type { Prefix } from '../../model/prefix.ts';
import { Refusal, reason } from '../../model/refusal.ts';
import { rangesIn, sourcesFor } from '../../repair/listening.ts';
import { journalEnd, readSince } from '../../state/journal-files.ts';
import { changesBetween, type Line, type State } from './lines.ts';

/** Debounce, in milliseconds: a look 150 after the first event, and at least 500 after the last look. */
const SETTLE = 150;
const REST = 500;
/** How often the journal is read, and what nothing tells of, in milliseconds. */
const PULSE = 500;
/** After what time it looks again where it couldn't, in milliseconds. */
const RETRY = 2_000;
/** How often doctor looks: it takes longer, and what it finds seldom changes. */
const CHECK_UP = 5 * 60_000;

/** How the host is looked at; each call has a deadline of its own. @throws Refusal if it can't be */
export interface Eyes {
  readonly config: () => Config;
  readonly state: () => Omit<State, 'findings'>;
  readonly findings: () => State['findings'];
  readonly counters: () => Extract<Line, { type: 'counters' }>;
  /** What nothing tells of, as a text that changes with it. */
  readonly pulse: () => string;
  /** A line of the journal as it is told. */
  readonly entry: (entry: Entry) => object;
}

export class Observer {
  readonly #eyes: Eyes;
  readonly #tell: (line: Line) => void;
  readonly #sources = new Sources(() => this.#soon());
  #ranges: readonly Prefix[] | undefined;
  #state: State | undefined;
  #findings: State['findings'] = [];
  #timer: NodeJS.Timeout | undefined;
  #rested = 0;
  #place = journalEnd();
  #pulse: string | undefined;
  #error: string | null = null;

  constructor(eyes: Eyes, tell: (line: Line) => void) {
    this.#eyes = eyes;
    this.#tell = tell;
  }

  /** Goes on until the process ends. @param every between counters, in milliseconds */
  start(every: number): void {
    // From here on nothing is missed: what happens while it looks calls for another look.
    for (const source of sourcesFor({ ranges: () => this.#ranges })) this.#sources.start(source);
    this.#checkUp();
    this.#count();
    setInterval(() => this.#count(), every);
    setInterval(() => this.#beat(), PULSE);
    setInterval(() => this.#checkUp(), CHECK_UP);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => {
        this.stop();
        process.exit(0);
      });
  }

  stop(): void {
    this.#sources.stop();
  }

  #soon(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#attempt(() => this.#look());
      },
      Math.max(SETTLE, this.#rested - Date.now()),
    );
  }

  #look(): void {
    const state = { ...this.#eyes.state(), findings: this.#findings };
    this.#ranges = rangesIn(this.#eyes.config());
    const lines: Line[] =
      this.#state === undefined ? [{ type: 'state', ...state }] : changesBetween(this.#state, state);
    this.#state = state;
    this.#rested = Date.now() + REST;
    for (const line of lines) this.#tell(line);
  }

  #count(): void {
    this.#attempt(() => this.#tell(this.#eyes.counters()));
  }

  #checkUp(): void {
    this.#attempt(() => {
      this.#findings = this.#eyes.findings();
      this.#look();
    });
  }

  /** What the daemon and others have noted, and what nothing tells of. */
  #beat(): void {
    this.#attempt(() => {
      const { lines, end } = readSince(this.#place);
      this.#place = end;
      for (const { entry } of lines) this.#tell({ type: 'happened', entry: this.#eyes.entry(entry) });
      const pulse = this.#eyes.pulse();
      if (lines.length > 0 || pulse !== (this.#pulse ?? pulse) || this.#state === undefined) this.#soon();
      this.#pulse = pulse;
    });
  }

  /** What can't be looked at now is told once, and again when it can be; until then it is tried anew. */
  #attempt(work: () => void): void {
    let error: string | null = null;
    try {
      work();
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      error = reason(thrown);
      this.#rested = Date.now() + RETRY;
      this.#soon();
    }
    if (error !== this.#error) this.#tell({ type: 'error', error });
    this.#error = error;
  }
}
