/**
 * Tells the provider which addresses are here now, by a command that may take minutes, such as a call of its failover API. Until it
 * has succeeded the old host relays their packets, so nothing waits for it.
 */
import type { ChildProcess } from 'node:child_process';
import { readOutside, type Told, writeOutside } from '../cluster/outside.ts';
import { ended, kill } from '../host/errand.ts';
import { outlived } from '../host/outlived.ts';
import { ENVIRONMENT } from '../host/tools.ts';
import { format } from '../model/address.ts';
import { type Attachment, prefixesOf } from '../model/attachment.ts';
import { isHere } from '../model/move.ts';
import { contains, equal, isSingle, type Prefix } from '../model/prefix.ts';
import { visible } from '../model/refusal.ts';

/** What is to be told, and by whom. */
export interface Telling {
  readonly command: readonly string[];
  /** What a provider moves as a whole: the pools, as hnet.toml lists them. */
  readonly pools: readonly Prefix[];
  /** This host's name among its peers. */
  readonly host: string;
  /** Names of peers that are up. */
  readonly up: readonly string[];
}

/** How long a command may take, and how long to wait after a failure: at first, and at most. In milliseconds. */
const LIMIT = 600_000;
const [FIRST, MOST] = [2_000, 300_000];

/** Hetzner takes 50 changes an hour: after many failures one is tried every five minutes. */
const pauseAfter = (failures: number): number => Math.min(FIRST * 2 ** (failures - 1), MOST);

/** A pool's. It stays while its command runs, whatever happens, so that never two run at once. */
interface Task {
  told: Told;
  child?: ChildProcess | undefined;
  timer?: NodeJS.Timeout | undefined;
  /** Since the command began: none of its addresses is here any more; one has come here again. */
  isGone: boolean;
  isAnew: boolean;
}

export class Outside {
  readonly #say: (line: string) => void;
  readonly #tasks: Map<string, Task>;
  #telling: Telling | undefined;

  constructor(say: (line: string) => void) {
    this.#say = say;
    this.#tasks = new Map(readOutside().map(told => [format(told.pool), taskOf(told)]));
  }

  /** Begins to tell what has come here, and forgets what has gone. @param attachments all of this host */
  look(attachments: readonly Attachment[], telling: Telling): void {
    const before = this.#telling?.up ?? telling.up;
    this.#telling = telling;
    // A subnet whose addresses are on several hosts may have been told to come to the one that is down now.
    if (before.some(host => !telling.up.includes(host)))
      for (const task of this.#tasks.values()) if (!isSingle(task.told.pool)) this.#begin(task);
    const here = attachments.filter(({ state }) => isHere(state)).flatMap(prefixesOf);
    const wanted = telling.pools.filter(pool => here.some(one => contains(pool, one)));
    for (const [key, task] of this.#tasks)
      if (!wanted.some(pool => equal(pool, task.told.pool))) this.#forget(key, task);
    for (const pool of wanted) this.#want(pool);
    this.#note();
  }

  stop(): void {
    for (const { child, timer } of this.#tasks.values()) {
      clearTimeout(timer);
      kill(child);
    }
  }

  #forget(key: string, task: Task): void {
    clearTimeout(task.timer);
    task.isGone = true;
    if (task.child === undefined) this.#tasks.delete(key);
  }

  #want(pool: Prefix): void {
    const key = format(pool);
    const task = this.#tasks.get(key) ?? taskOf(fresh(pool));
    this.#tasks.set(key, task);
    if (task.isGone) this.#begin(task);
    task.isGone = false;
    const isOpen = !task.told.isFollowed && task.child === undefined && task.timer === undefined;
    if (isOpen) this.#run(key, task);
  }

  /** Tells it again from the beginning, after the command that runs. */
  #begin(task: Task): void {
    task.told = fresh(task.told.pool);
    task.isAnew = task.child !== undefined;
  }

  #run(key: string, task: Task): void {
    const { command = [], host = '' } = this.#telling ?? {};
    task.timer = undefined;
    // The successor of this process begins anew.
    const child = outlived([...command, key, host], {
      detached: true,
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    task.child = child;
    ended(child, '', LIMIT).then(({ printed, why }) => {
      const words = printed.trim().split('\n').at(-1) ?? '';
      const failure = why && visible(words === '' ? why : `${why}: ${words}`);
      this.#say(`${key} to ${host}: ${failure ?? 'told'}`);
      task.child = undefined;
      this.#ended(key, task, failure);
    });
  }

  #ended(key: string, task: Task, why: string | undefined): void {
    const { pool, since, failures } = task.told;
    if (task.isGone) this.#tasks.delete(key);
    else if (task.isAnew) {
      task.isAnew = false;
      this.#run(key, task);
    } else if (why === undefined) task.told = { pool, since, failures, isFollowed: true };
    else {
      task.told = { pool, since, failures: failures + 1, isFollowed: false, why };
      task.timer = setTimeout(() => this.#run(key, task), pauseAfter(failures + 1));
    }
    this.#note();
  }

  #note(): void {
    writeOutside([...this.#tasks.values()].filter(({ isGone }) => !isGone).map(({ told }) => told));
  }
}

const taskOf = (told: Told): Task => ({ told, isGone: false, isAnew: false });

const fresh = (pool: Prefix): Told => ({
  pool,
  isFollowed: false,
  since: new Date().toISOString(),
  failures: 0,
});
