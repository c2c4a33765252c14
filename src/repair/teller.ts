/** Tells the operator's programs what happens to addresses: one after the other, and never while somebody waits for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { ended, kill } from '../host/errand.ts';
import { ENVIRONMENT } from '../host/tools.ts';
import { programsIn } from '../host/trusted.ts';
import { type Event, environmentOf, eventsOf, eventTitle } from '../model/event.ts';
import { EVENTS_DIRECTORY } from '../model/names.ts';
import { reason, visible } from '../model/refusal.ts';
import { readEventPlace, writeEventPlace } from '../state/event-place.ts';
import { journalEnd, type Place, readSince } from '../state/journal-files.ts';

/** How long a program may take, in milliseconds. */
const LIMIT = 30_000;

/** What is said of the programs' work. */
interface Voice {
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
    const { printed, why } = await ended(child, `${JSON.stringify(event)}\n`, LIMIT);
    this.#running = undefined;
    const title = `${basename(file)}, ${eventTitle(event)}`;
    for (const line of printed.split('\n'))
      if (line.trim() !== '') this.#voice.print(`${title}: ${visible(line)}`);
    if (why !== undefined) this.#voice.warn(`Cannot run ${file} for ${eventTitle(event)}: ${why}`);
  }
}
