import { type ChildProcess, spawn } from 'node:child_process';
import { Host } from '../../src/host/host.ts';

/** A host whose tools work in a network of its own. */
export class ElsewhereHost extends Host {
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess) {
    super();
    this.#holder = holder;
  }

  /** @param setup a shell script that prepares the network */
  static async create(setup: string): Promise<ElsewhereHost> {
    const script = `set -e\n${setup}\necho ready; exec sleep 1000`;
    const holder = spawn('unshare', ['-n', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve, reject) => {
      holder.stdout?.once('data', resolve);
      holder.once('exit', () => reject(new Error('the network could not be set up')));
    });
    return new ElsewhereHost(holder);
  }

  end(): void {
    this.#holder.kill('SIGKILL');
  }

  override run(argv: readonly string[], stdin?: string): string {
    return super.run(['nsenter', '-n', '-t', String(this.#holder.pid), ...argv], stdin);
  }
}
