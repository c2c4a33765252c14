import { fileURLToPath } from 'node:url';
import type { Background } from './background.ts';
import type { Machine } from './machine.ts';
import { PATIENCE } from './wait.ts';

/** What became of a TCP connection on which a numbered line went out every 10 ms, to come back. */
export interface Course {
  readonly sent: number;
  readonly returned: number;
  /** Lines that weren't the next one. TCP makes this 0, or breaks. */
  readonly wrong: number;
  /** The longest time in which nothing came back, in milliseconds. */
  readonly gap: number;
  /** Why the connection ended before the stop: a code such as ECONNRESET, or `closed`; null if it didn't. */
  readonly failure: string | null;
}

const SCRIPT = fileURLToPath(new URL('stream.cjs', import.meta.url));

/** What a VM runs to answer such connections, on port 7: `vm.sh(ECHO)`. */
export const ECHO = 'nc -ll -p 7 -e /bin/cat >/dev/null 2>&1 &';

/** One TCP connection that goes on. For machines that have this one's Node.js: the Internet, namespace hosts and guests. */
export class Stream {
  readonly #end: Background;

  private constructor(end: Background) {
    this.#end = end;
  }

  /** Calls an echo server, and returns once it echoes. */
  static async open(from: Machine, address: string, port = 7): Promise<Stream> {
    const stream = new Stream(from.start([process.execPath, SCRIPT, 'connect', address, String(port)]));
    await stream.#end.until(/echoes/, PATIENCE);
    return stream;
  }

  /**
   * Waits for one call of somebody who echoes, such as a VM: `nc ADDRESS PORT -e /bin/cat`. Here the side that was called is the
   * one that speaks next.
   * @param call makes it, once somebody listens
   */
  static async accept(at: Machine, port: number, call: () => Promise<unknown>): Promise<Stream> {
    const stream = new Stream(at.start([process.execPath, SCRIPT, 'listen', String(port)]));
    await stream.#end.until(/listens/, PATIENCE);
    await call();
    await stream.#end.until(/echoes/, PATIENCE);
    return stream;
  }

  /** Waits a second at most for lines that aren't back yet. */
  async stop(): Promise<Course> {
    const said = await this.#end.stop();
    const course = /^\{.*\}$/m.exec(said)?.[0];
    if (course === undefined) throw new Error(`Cannot tell what became of a stream: it printed "${said}"`);
    return JSON.parse(course);
  }
}
