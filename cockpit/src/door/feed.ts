/** Keeps what is known of the host up to date, by one `hnet monitor --json` for the whole page. */
import { Refusal, reason } from '../../../src/model/refusal.ts';
import { fullArgv } from '../model/commands.ts';
import { readLine } from '../model/lines.ts';
import { after, NOTHING, type Seen } from '../model/seen.ts';
import { cockpit, type Problem, type Process } from './cockpit.ts';
import { unanswered } from './hnet.ts';

/** Pauses before the next start, in seconds; the last one again and again. */
const PAUSES = [1, 2, 4, 8, 15, 30] as const;

/** How the page stands with the monitor. */
type Link =
  | { readonly is: 'waiting' }
  | { readonly is: 'live' }
  /** It ended, and is started again. */
  | { readonly is: 'lost'; readonly why: string; readonly isMissing: boolean }
  | { readonly is: 'denied' };

export interface Feed {
  readonly seen: Seen;
  readonly link: Link;
}

type Listener = () => void;

/** One for the page. It stays as it is between two changes, as React's useSyncExternalStore wants it. */
export class Monitor {
  #feed: Feed = { seen: NOTHING, link: { is: 'waiting' } };
  #process: Process | undefined;
  #timer: number | undefined;
  #failures = 0;
  readonly #listeners = new Set<Listener>();

  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly current = (): Feed => this.#feed;

  /** At once, also where the next start would come later. */
  readonly start = (): void => {
    this.stop();
    if (this.#feed.link.is === 'denied') this.#show({ ...this.#feed, link: { is: 'waiting' } });
    let rest = '';
    const process = cockpit.spawn(fullArgv(['monitor'], '--json'), { superuser: 'require', err: 'message' });
    this.#process = process;
    process
      .stream(data => {
        const lines = `${rest}${data}`.split('\n');
        rest = lines.pop() ?? '';
        if (this.#process === process) this.#take(lines);
      })
      .then(
        () => this.#ended(process, undefined),
        problem => this.#ended(process, problem),
      );
  };

  readonly stop = (): void => {
    window.clearTimeout(this.#timer);
    const process = this.#process;
    this.#process = undefined;
    process?.close('cancelled');
  };

  /** Without administrative access there is nothing to start. */
  readonly deny = (): void => {
    this.stop();
    this.#show({ ...this.#feed, link: { is: 'denied' } });
  };

  #take(lines: readonly string[]): void {
    try {
      const read = lines.filter(line => line !== '').flatMap(line => readLine(line) ?? []);
      if (read.length === 0) return;
      this.#failures = 0;
      this.#show({ seen: read.reduce(after, this.#feed.seen), link: { is: 'live' } });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#lose(reason(error), false);
    }
  }

  #ended(process: Process, problem: Problem | undefined): void {
    if (this.#process !== process) return;
    if (problem?.problem === 'access-denied') this.deny();
    else this.#lose(unanswered(['monitor'], problem).message, problem?.problem === 'not-found');
  }

  /** What was seen last stays on the page. */
  #lose(why: string, isMissing: boolean): void {
    this.stop();
    const pause = PAUSES[this.#failures] ?? PAUSES[PAUSES.length - 1] ?? 30;
    this.#failures++;
    this.#show({ ...this.#feed, link: { is: 'lost', why, isMissing } });
    this.#timer = window.setTimeout(this.start, pause * 1000);
  }

  #show(feed: Feed): void {
    this.#feed = feed;
    for (const listener of this.#listeners) listener();
  }
}
