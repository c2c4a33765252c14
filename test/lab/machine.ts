import { Background } from './background.ts';
import { attempt, ENVIRONMENT, expectSuccess, type Outcome, type RunOptions } from './run.ts';

/** Anything in the lab that runs commands in namespaces of its own: gateway, Internet, host, hypervisor, guest. */
export class Machine {
  readonly name: string;
  /** The network namespace, as a file. */
  readonly netns: string;
  #leader: number;

  /** `leader` is PID 1 of the machine, as the outer machine numbers it. */
  constructor(name: string, netns: string, leader: number) {
    this.name = name;
    this.netns = netns;
    this.#leader = leader;
  }

  get leader(): number {
    return this.#leader;
  }

  /** For a machine that was booted anew. */
  protected succeed(leader: number): void {
    this.#leader = leader;
  }

  /** The command line that runs a command in this machine, for tools that spawn by themselves. */
  enter(argv: readonly string[]): string[] {
    return ['nsenter', '-t', String(this.#leader), '-m', '-u', '-i', '-n', '-p', '--', ...argv];
  }

  /** Runs a command and gives back what it did, whether it succeeded or not. */
  attempt(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return attempt(this.enter(argv), options);
  }

  /** Runs a command that must succeed and gives back its standard output. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    return expectSuccess([`${this.name}:`, ...argv], await this.attempt(argv, options));
  }

  /** Runs a shell script that must succeed. */
  sh(script: string, options: Omit<RunOptions, 'input'> = {}): Promise<string> {
    return this.run(['sh', '-e'], { ...options, input: script });
  }

  /** Starts a command that goes on until it is stopped: a capture, a server, a client under test. */
  start(argv: readonly string[]): Background {
    return new Background(this.enter(['setpriv', '--pdeathsig', 'KILL', '--', ...argv]), ENVIRONMENT);
  }

  /** Whether one of a few pings, a fifth of a second apart, is answered. */
  async ping(address: string, from?: string): Promise<boolean> {
    const source = from === undefined ? [] : ['-I', from];
    const { code } = await this.attempt(['ping', '-n', '-q', '-c1', '-w2', '-i0.2', ...source, address]);
    return code === 0;
  }

  async read(path: string): Promise<string> {
    return this.run(['cat', '--', path]);
  }

  async write(path: string, text: string): Promise<void> {
    await this.run(['sh', '-c', 'mkdir -p "$(dirname -- "$0")" && cat > "$0"', path], { input: text });
  }
}
