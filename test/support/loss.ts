import type { Background } from '../lab/background.ts';
import type { Machine } from '../lab/machine.ts';
import { PATIENCE, until } from '../lab/wait.ts';

/** What became of a train of pings. */
export interface Loss {
  readonly answered: number;
  /** Between the first answer and the last. */
  readonly lost: number;
  /** The longest time between two answers, in milliseconds. */
  readonly gap: number;
}

/** Milliseconds between two pings. */
export const INTERVAL = 10;

/**
 * Pings an address every 10 ms until it is stopped. What it counts lies between the first answer and the last, so
 * that neither a late start nor a packet still on its way counts as lost.
 */
export class Pings {
  readonly #ping: Background;

  private constructor(ping: Background) {
    this.#ping = ping;
  }

  /** Returns once answers come. */
  static async start(machine: Machine, address: string): Promise<Pings> {
    const ping = machine.start(['ping', '-n', '-D', '-i', String(INTERVAL / 1000), address]);
    await ping.until(/icmp_seq=\d+ ttl/, PATIENCE);
    return new Pings(ping);
  }

  /** Waits until as many more answers have come: life goes on after what was done. */
  async more(count: number): Promise<void> {
    const wanted = answers(this.#ping.output).length + count;
    const enough = () => answers(this.#ping.output).length >= wanted;
    await until(enough, PATIENCE, `${count} more answers`);
  }

  async stop(): Promise<Loss> {
    const seen = answers(await this.#ping.stop('SIGINT'));
    const [first, last] = [seen[0], seen.at(-1)];
    const sent = first === undefined || last === undefined ? 0 : last.sequence - first.sequence + 1;
    const numbers = new Set(seen.map(({ sequence }) => sequence));
    const gaps = seen.slice(1).map(({ at }, index) => at - (seen[index]?.at ?? at));
    return { answered: numbers.size, lost: sent - numbers.size, gap: Math.round(Math.max(0, ...gaps)) };
  }
}

/** Loses nothing of the first 65,536, after which sequence numbers begin anew: eleven minutes. */
function answers(output: string): { sequence: number; at: number }[] {
  return [...output.matchAll(/^\[(\d+\.\d+)\] .*icmp_seq=(\d+) ttl/gm)].map(([, at, sequence]) => ({
    sequence: Number(sequence),
    at: Number(at) * 1000,
  }));
}
