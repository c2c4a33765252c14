/** Tells the operator's programs what happens to addresses: one after the other, and never while somebody waits for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { ENVIRONMENT } from '../host/tools.ts';
import { programsIn } from '../host/trusted.ts';
import { type Event, environmentOf, eventsOf, eventTitle } from '../model/event.ts';
import { EVENTS_DIRECTORY } from '../model/names.ts';
import { ifPossible, reason, visible } from '../model/refusal.ts';
import { readEventPlace, writeEventPlace } from '../state/event-place.ts';
import { journalEnd, type Place, readSince } from '../state/journal-files.ts';

/** How long a program may take, in milliseconds, and how much of what it prints is kept, in characters. */
const LIMIT = 30_000;
const LONGEST = 16 << 10;

/** What is said of the programs' work. */
export interface Voice {
  readonly print: (line: string) => void;
  readonly warn: (line: string) => void;
}

export class Teller {
  readonly #voice: Voice;
  #place: Place;
  #running: ChildProcess | undefined;
  #busy = false;
  #ending = false;

  constructor(voice: Voice) {
    this.#voice = voice;
    this.#place = readEventPlace() ?? journalEnd();
  }

  /** Tells what has happened since it was told last. @returns what is wrong with the directory */
  look(): readonly string[] {
    const { files, refused } = programsIn(EVENTS_DIRECTORY);
    if (!this.#busy && !this.#ending) {
      if (files.length === 0) this.#reach(journalEnd());
      else this.#tell(files).catch(error => this.#voice.warn(reason(error)));
    }
    return refused;
  }

  stop(): void {
    this.#ending = true;
    kill(this.#running);
  }

  /** What was told is noted one by one: a daemon that is killed meanwhile tells the last one again. */
  async #tell(files: readonly string[]): Promise<void> {
    this.#busy = true;
    try {
      const { lines, end } = readSince(this.#place);
      for (const { entry, place } of lines) {
        for (const event of eventsOf(entry)) for (const file of files) await this.#run(file, event);
        if (this.#ending) return;
        this.#reach(place);
      }
      this.#reach(end);
    } finally {
      this.#busy = false;
    }
  }

  #reach(place: Place): void {
    if (place.month === this.#place.month && place.offset === this.#place.offset && readEventPlace()) return;
    this.#place = place;
    writeEventPlace(place);
  }

  async #run(file: string, event: Event): Promise<void> {
    if (this.#ending) return;
    const child = spawn(file, [], {
      detached: true,
      cwd: '/',
      env: { ...ENVIRONMENT, ...environmentOf(event) },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#running = child;
    const { printed, why } = await ended(child, event);
    this.#running = undefined;
    const title = `${basename(file)}, ${eventTitle(event)}`;
    for (const line of printed.split('\n'))
      if (line.trim() !== '') this.#voice.print(`${title}: ${visible(line)}`);
    if (why !== undefined) this.#voice.warn(`Cannot run ${file} for ${eventTitle(event)}: ${why}`);
  }
}

/** What a program printed, and how it failed if it did. A program that goes on, or leaves one that prints, has its time too. */
export function ended(
  child: ChildProcess,
  event: Event,
  limit = LIMIT,
): Promise<{ printed: string; why?: string }> {
  return new Promise(resolve => {
    let printed = '';
    let why: string | undefined;
    const take = (text: string): void => {
      printed = `${printed}${text}`.slice(0, LONGEST);
    };
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);
    // It needn't read what it is told.
    child.stdin?.on('error', () => undefined).end(`${JSON.stringify(event)}\n`);
    const timer = setTimeout(() => {
      why = `it took longer than ${limit / 1000} s, and was killed`;
      kill(child);
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
    }, limit);
    child.on('error', error => {
      why ??= error.message;
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0) why ??= code === null ? `it was ended by ${signal}` : `exit code ${code}`;
      resolve({ printed, ...(why !== undefined && { why }) });
    });
  });
}

/** With its children, which are of its process group. */
function kill(child: ChildProcess | undefined): void {
  const { pid } = child ?? {};
  if (pid !== undefined) ifPossible(() => process.kill(-pid, 'SIGKILL'));
}
