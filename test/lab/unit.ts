import type { Daemon } from './daemon.ts';
import type { Machine } from './machine.ts';

/** A service of a hypervisor's systemd: `h1.unit('libvirtd').freeze()`. */
export class Unit implements Daemon {
  readonly #machine: Machine;
  readonly #name: string;

  constructor(machine: Machine, name: string) {
    this.#machine = machine;
    this.#name = name;
  }

  start(): Promise<void> {
    return this.#systemctl('start');
  }

  stop(): Promise<void> {
    return this.#systemctl('stop');
  }

  restart(): Promise<void> {
    return this.#systemctl('restart');
  }

  kill(): Promise<void> {
    return this.#signal('KILL');
  }

  freeze(): Promise<void> {
    return this.#signal('STOP');
  }

  go(): Promise<void> {
    return this.#signal('CONT');
  }

  /** To its first process alone: libvirt's QEMUs are among the processes of its service here. */
  #signal(signal: string): Promise<void> {
    return this.#systemctl('kill', '--kill-whom=main', `--signal=${signal}`);
  }

  async #systemctl(...words: readonly string[]): Promise<void> {
    await this.#machine.run(['systemctl', ...words, this.#name]);
  }
}
