import type { Background } from '../lab/background.ts';
import type { Machine } from '../lab/machine.ts';
import { PATIENCE } from '../lab/wait.ts';

/**
 * What passes a device, as tcpdump prints it. That something does NOT pass is seen by letting something else follow
 * it and waiting for that: packets of one device are printed in their order.
 */
export class Capture {
  readonly #dump: Background;

  private constructor(dump: Background) {
    this.#dump = dump;
  }

  static async start(machine: Machine, device: string, filter: string): Promise<Capture> {
    const words = filter.split(' ').filter(word => word !== '');
    const dump = machine.start(['tcpdump', '-n', '-l', '--immediate-mode', '-i', device, ...words]);
    await dump.until(/listening on/, PATIENCE);
    return new Capture(dump);
  }

  /** Waits for a packet, and gives back everything seen so far. */
  async until(pattern: RegExp): Promise<string> {
    await this.#dump.until(pattern, PATIENCE);
    return this.#dump.output;
  }

  async stop(): Promise<void> {
    await this.#dump.stop();
  }
}
