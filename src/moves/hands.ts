/** Performs what a turn needs, without the follower's waiting for it. */
import { Host } from '../host/host.ts';
import { ReadyIp } from '../host/ready-ip.ts';
import { reason } from '../model/refusal.ts';
import type { Batch } from '../resources/action.ts';
import type { Performer } from './turn.ts';

export class Hands implements Performer {
  readonly #ip = new ReadyIp();
  readonly #failed: (why: string) => void;
  /** What it was told to do since it was asked. */
  #open: Promise<boolean>[] = [];

  constructor(failed: (why: string) => void) {
    this.#failed = failed;
  }

  /** `ip` does its lines while the follower goes on; all else takes a process that is waited for. */
  perform(batch: Batch): void {
    if (batch.kind !== 'lines' || batch.tool !== 'ip') new Host().perform(batch, true);
    else this.#open.push(this.#ip.run(batch.lines).then(isDone => isDone || this.#perform(batch)));
  }

  /** Whether all is done that it was told to do since it was asked last. What wasn't, it has said. */
  async done(): Promise<boolean> {
    const open = this.#open;
    this.#open = [];
    return (await Promise.all(open)).every(isDone => isDone);
  }

  stop(): void {
    this.#ip.stop();
  }

  /** Line by line, where one has ended all. */
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
