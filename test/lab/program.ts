import type { Background } from './background.ts';
import type { Daemon } from './daemon.ts';
import type { Machine } from './machine.ts';

/** A program on a machine without systemd, in the foreground there. */
export class Program implements Daemon {
  readonly #machine: Machine;
  readonly #argv: readonly string[];
  #running: Background | undefined;

  constructor(machine: Machine, argv: readonly string[]) {
    this.#machine = machine;
    this.#argv = argv;
  }

  /** What it has printed since its start. */
  get output(): string {
    return this.#running?.output ?? '';
  }

  async start(): Promise<void> {
    if (this.#running?.ended ?? true) this.#running = this.#machine.start(this.#argv);
  }

  async stop(): Promise<void> {
    // One that hangs can't leave.
    await this.go();
    await this.#running?.stop();
  }

  async kill(): Promise<void> {
    await this.#running?.stop('SIGKILL');
  }

  async freeze(): Promise<void> {
    this.#running?.signal('SIGSTOP');
  }

  async go(): Promise<void> {
    this.#running?.signal('SIGCONT');
  }
}
