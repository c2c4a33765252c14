/** Looks at the host when something has happened, and says what has changed. */

import { Debounce } from '../../host/debounce.ts';
import { type Source, Sources } from '../../host/source.ts';
import type { Config } from '../../model/config.ts';
import type { Entry } from '../../model/journal.ts';
import { exactJson } from '../../model/json.ts';
import { Refusal, reason } from '../../model/refusal.ts';
import type { Grounds } from '../../repair/events.ts';
import { groundsIn } from '../../repair/listening.ts';
import { journalEnd, readSince } from '../../state/journal-files.ts';
import { changesBetween, type Line, type State } from './lines.ts';

/** Debounce, in milliseconds: a look 150 after the first event, and at least 500 after the last look. */
const SETTLE = 150;
const REST = 500;
/** How often the journal is read, and what nothing tells of, in milliseconds. */
const PULSE = 500;
/** After what time it looks again where it couldn't, in milliseconds. */
const RETRY = 2_000;
/** How often doctor looks: what it finds seldom changes. */
const CHECK_UP = 5 * 60_000;

/** How the host is looked at; each call has a deadline of its own. @throws Refusal if it can't be */
export interface Eyes {
  readonly config: () => Config;
  readonly state: () => Omit<State, 'findings'>;
  readonly counters: () => Extract<Line, { type: 'counters' }>;
  /** What nothing tells of, as a text that changes with it. */
  readonly pulse: () => string;
  /** A line of the journal as it is told. */
  readonly entry: (entry: Entry) => object;
  /** Lets doctor look beside: that takes seconds, and longer where the provider doesn't answer. */
  readonly examine: (told: (findings: State['findings']) => void) => void;
  /** What tells that something has happened. */
  readonly sources: (grounds: () => Grounds | undefined) => readonly Source[];
}

/** What an observer does, the most important first. */
const WORKS = ['look', 'count', 'beat'] as const;
type Work = (typeof WORKS)[number];

export class Observer {
  readonly #eyes: Eyes;
  readonly #tell: (line: Line) => void;
  readonly #looking = new Debounce(() => this.#lookAgain(), SETTLE);
  readonly #sources = new Sources(() => this.#looking.soon());
  #grounds: Grounds | undefined;
  #state: State | undefined;
  /** Undefined before doctor has ended for the first time. */
  #findings: State['findings'] | undefined;
  readonly #clocks: NodeJS.Timeout[] = [];
  #place = journalEnd();
  #pulse: string | undefined;
  /** Why something can't be done now. */
  readonly #errors = new Map<Work, string>();
  /** What was told of that. */
  #error: string | null = null;

  constructor(eyes: Eyes, tell: (line: Line) => void) {
    this.#eyes = eyes;
    this.#tell = tell;
  }

  /** Goes on until it is stopped. @param every between counters, in milliseconds */
  start(every: number): void {
    // From here on nothing is missed: what happens while it looks calls for another look.
    for (const source of this.#eyes.sources(() => this.#grounds)) this.#sources.start(source);
    this.#attempt('look', () => this.#look());
    this.#count();
    this.#checkUp();
    this.#clocks.push(
      setInterval(() => this.#count(), every),
      setInterval(() => this.#beat(), PULSE),
      setInterval(() => this.#checkUp(), CHECK_UP),
    );
  }

  stop(): void {
    this.#sources.stop();
    this.#looking.stop();
    for (const clock of this.#clocks) clearInterval(clock);
  }

  #lookAgain(): void {
    this.#attempt('look', () => this.#look());
    // The next counters may be an hour away.
    if (this.#errors.has('count')) this.#count();
  }

  #look(): void {
    const state = { ...this.#eyes.state(), findings: this.#findings ?? [] };
    this.#grounds = groundsIn(this.#eyes.config());
    const lines: Line[] =
      this.#state === undefined ? [{ type: 'state', ...state }] : changesBetween(this.#state, state);
    this.#state = state;
    this.#looking.rest(REST);
    for (const line of lines) this.#tell(line);
  }

  #count(): void {
    this.#attempt('count', () => this.#tell(this.#eyes.counters()));
  }

  /** The first time it is told also that nothing was found: until then nobody has looked. */
  #checkUp(): void {
    this.#eyes.examine(findings => {
      const isNews = this.#findings === undefined || exactJson(findings) !== exactJson(this.#findings);
      this.#findings = findings;
      if (!isNews || this.#state === undefined) return;
      this.#state = { ...this.#state, findings };
      this.#tell({ type: 'findings', findings });
    });
  }

  /** What the daemon and others have noted, and what nothing tells of. */
  #beat(): void {
    this.#attempt('beat', () => {
      const { lines, end } = readSince(this.#place);
      this.#place = end;
      for (const { entry } of lines) this.#tell({ type: 'happened', entry: this.#eyes.entry(entry) });
      const pulse = this.#eyes.pulse();
      if (lines.length > 0 || pulse !== (this.#pulse ?? pulse) || this.#state === undefined)
        this.#looking.soon();
      this.#pulse = pulse;
    });
  }

  /**
   * What can't be looked at now is told once, and again when all can be; until then it is tried anew. That the counters can be
   * read, say, doesn't mean that the domains can.
   */
  #attempt(what: Work, work: () => void): void {
    try {
      work();
      this.#errors.delete(what);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      this.#errors.set(what, reason(thrown));
      this.#looking.rest(RETRY);
      this.#looking.soon();
    }
    const error = WORKS.map(one => this.#errors.get(one)).find(one => one !== undefined) ?? null;
    if (error !== this.#error) this.#tell({ type: 'error', error });
    this.#error = error;
  }
}
