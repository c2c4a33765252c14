import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { outlived } from './outlived.ts';

/** A command that prints a line whenever something happens on the host. */
export interface Source {
  readonly argv: readonly string[];
  /** Whether a line means anything to us; without it every line does. */
  readonly concerns?: (line: string) => boolean;
}

/** How long a source that ended is left alone, in milliseconds. */
const PAUSE = 1000;

/** Keeps sources running, and tells of what they print. What happened while one was down is looked for when it is up. */
export class Sources {
  readonly #children = new Set<ChildProcess>();
  readonly #happened: (what: string) => void;
  #ending = false;

  constructor(happened: (what: string) => void) {
    this.#happened = happened;
  }

  start(source: Source): void {
    if (this.#ending) return;
    const child = outlived(['stdbuf', '-oL', ...source.argv], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#children.add(child);
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', line => {
        if (source.concerns?.(line) !== false) this.#happened(line);
      });
    child.on('close', () => {
      this.#children.delete(child);
      setTimeout(() => {
        this.start(source);
        this.#happened(`${source.argv[0]} was started again`);
      }, PAUSE);
    });
  }

  stop(): void {
    this.#ending = true;
    for (const child of this.#children) child.kill('SIGKILL');
  }
}
