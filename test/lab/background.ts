import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { childrenOf, kill } from './processes.ts';
import { until } from './wait.ts';

/** A command that runs beside the scenario; both its outputs are kept as one text. */
export class Background {
  readonly #child: ChildProcess;
  #output = '';

  constructor(argv: readonly string[], env: Readonly<Record<string, string>>) {
    const [file = '', ...rest] = argv;
    this.#child = spawn(file, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', chunk => this.#keep(chunk));
    this.#child.stderr?.on('data', chunk => this.#keep(chunk));
    this.#child.on('error', error => this.#keep(error.message));
  }

  get output(): string {
    return this.#output;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until the output matches; the error shows what was printed instead. */
  async until(pattern: RegExp, limit: number): Promise<void> {
    const file = this.#child.spawnargs.join(' ');
    try {
      await until(() => pattern.test(this.#output), limit, `${pattern} from "${file}"`);
    } catch (error) {
      throw new Error(`${(error as Error).message}; it printed:\n${this.#output}`);
    }
  }

  /** Sends a signal to the command itself (nsenter stands in between), if it's still there. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (this.ended || pid === undefined) return;
    const inner = childrenOf(pid);
    for (const each of inner.length > 0 ? inner : [pid]) kill(each, signal);
  }

  /** Asks the command to leave and waits; gives back all it printed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<string> {
    const { pid } = this.#child;
    if (this.ended || pid === undefined) return this.#output;
    const closed = once(this.#child, 'close');
    this.signal(signal);
    const force = setTimeout(() => kill(pid, 'SIGKILL'), 30_000);
    await closed;
    clearTimeout(force);
    return this.#output;
  }

  #keep(chunk: unknown): void {
    this.#output += String(chunk);
  }
}
