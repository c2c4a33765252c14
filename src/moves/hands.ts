/** Performs what a turn needs, and doesn't let the follower wait for it. */
import { Host } from '../host/host.ts';
import { ReadyIp } from '../host/ready-ip.ts';
import { reason } from '../model/refusal.ts';
import type { Batch } from '../resources/action.ts';
import type { Performer } from './turn.ts';

export class Hands implements Performer {
  readonly #ip = new ReadyIp();
  readonly #failed: (why: string) => void;
  /** What runs, or has run, since the last `done()`. */
  #open: Promise<boolean>[] = [];

  constructor(failed: (why: string) => void) {
    this.#failed = failed;
  }

  /** `ip` runs while the follower goes on. Anything else needs a process of its own, and the follower waits for it. */
  perform(batch: Batch): void {
    if (batch.kind !== 'lines' || batch.tool !== 'ip') new Host().perform(batch, true);
    else this.#open.push(this.#ip.run(batch.lines).then(isDone => isDone || this.#perform(batch)));
  }

  /** Whether everything since the last call succeeded. Failures have been reported already. */
  async done(): Promise<boolean> {
    const open = this.#open;
    this.#open = [];
    return (await Promise.all(open)).every(isDone => isDone);
  }

  stop(): void {
    this.#ip.stop();
  }

  /** Runs them again line by line, where a failing line has ended the batch. */
  #perform(batch: Batch): boolean {
    try {
      new Host().perform(batch, true);
      return true;
    } catch (error) {
      this.#failed(reason(error));
      return false;
    }
  }
}
