import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Lab } from '../lab/lab.ts';
import { chosenRelease, type Release } from '../lab/root.ts';
import { expectSuccess, type Outcome } from '../lab/run.ts';
import type { SiteOptions } from '../lab/site.ts';
import { ensureBuilt } from '../support/build.ts';
import { expectPromised } from '../support/promised.ts';
import { keepLayer, layerFor } from './layer.ts';

type Hypervisor = Awaited<ReturnType<Lab['hypervisor']>>;

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
export const INSTALL = '/root/hnet/install.sh';
export const POOLS = ['123.45.90.112/29', '123.45.53.11', '123.45.53.12', '123.45.53.13'];

/** What tests read of a domain's status. */
interface Status {
  readonly domain: string;
  readonly uuid: string;
  readonly state: string;
  readonly policy: string;
  readonly addresses: readonly { address: string; bridge: string; lease: string | null }[];
  readonly faults: readonly string[];
}

/** What tests read of a pool's address. */
export interface Pooled {
  readonly address: string;
  readonly state: string;
  readonly domain: string | null;
}

export interface StageOptions extends SiteOptions {
  readonly installed?: boolean;
  /** The Debian that the hypervisor is; unless given, that of this run. */
  readonly release?: Release;
}

/**
 * A hypervisor with the project in /root/hnet, for the tests of one `describe`: booted before the first, removed after
 * the last. Unless told otherwise hnet is installed on it with the pools of the documentation.
 */
export class Stage {
  #lab: Lab | undefined;
  #hv: Hypervisor | undefined;

  constructor({ installed = true, ...options }: StageOptions = {}) {
    before(async () => {
      await ensureBuilt();
      const machine = `Debian ${options.release ?? chosenRelease() ?? 'of this machine'}`;
      const layer = installed ? await layerFor([machine, ...POOLS]) : '';
      const kept = existsSync(layer);
      this.#lab = await Lab.create();
      this.#hv = await this.#lab.hypervisor('h1', {
        ...options,
        copy: { '/root/hnet': PROJECT },
        ...(kept && { archive: layer }),
      });
      if (installed && !kept) await keepLayer(this.#hv, layer, () => this.#installAlone());
    });
    after(() => this.#lab?.remove());
  }

  async #installAlone(): Promise<void> {
    await this.withoutEsbuild();
    await this.install();
    await this.withoutServices();
  }

  /** Without the means to make the bundles anew install.sh takes them as they are. */
  async withoutEsbuild(): Promise<void> {
    await this.hv.run(['rm', '-rf', '/root/hnet/node_modules/esbuild']);
  }

  get lab(): Lab {
    if (this.#lab === undefined) throw new Error('Cannot use the lab before the tests begin');
    return this.#lab;
  }

  get hv(): Hypervisor {
    if (this.#hv === undefined) throw new Error('Cannot use the hypervisor before the tests begin');
    return this.#hv;
  }

  /** Runs install.sh as the manual says; it must succeed. */
  async install(pools: readonly string[] = POOLS): Promise<string> {
    const argv = [INSTALL, '--yes', ...pools.flatMap(pool => ['--pool', pool])];
    return this.hv.run(argv);
  }

  /** The hook must do without the services that repair beside it: with them, no test could tell whose work it sees. */
  async withoutServices(): Promise<void> {
    await this.hv.run(['systemctl', 'disable', '--now', 'hnet-watch', 'hnet-sync']);
  }

  /** What a web server answers to the Internet; nothing if it doesn't within two seconds. */
  async web(address: string): Promise<string> {
    const fetching = `fetch('http://${address}/', { signal: AbortSignal.timeout(2000) })
      .then(answer => answer.text()).then(text => process.stdout.write(text.trim()), () => undefined)`;
    return this.lab.internet.run([process.execPath, '-e', fetching]);
  }

  /** Runs hnet and gives back what it did. What it answers to `--json` is held against its schema. */
  async hnet(...argv: readonly string[]): Promise<Outcome> {
    const outcome = await this.hv.attempt(['hnet', ...argv]);
    expectPromised(argv, outcome);
    return outcome;
  }

  /** Runs hnet, which must succeed, and gives back what it printed. */
  async ok(...argv: readonly string[]): Promise<string> {
    return expectSuccess(['hnet', ...argv], await this.hnet(...argv));
  }

  /** What a command answers to `--json`; its schema holds it. */
  async json<T>(...argv: readonly string[]): Promise<T> {
    return JSON.parse(await this.ok(...argv, '--json')) as T;
  }

  /** What `status` says of domains. */
  async status(...argv: readonly string[]): Promise<readonly Status[]> {
    return (await this.json<{ domains: readonly Status[] }>('status', ...argv)).domains;
  }

  /** The domain's XML as libvirt has it. */
  xml(name: string, ...flags: readonly string[]): Promise<string> {
    return this.hv.virsh('dumpxml', ...flags, '--', name);
  }

  /** Ends and removes every domain, and the bridges of the tests' own. */
  async clean(): Promise<void> {
    for (const uuid of (await this.hv.virsh('list', '--all', '--uuid')).split('\n').filter(Boolean)) {
      await this.hv.attempt(['virsh', 'destroy', uuid]);
      await this.hv.attempt(['virsh', 'undefine', uuid, '--managed-save', '--snapshots-metadata']);
    }
    await this.hv.attempt(['ip', 'link', 'del', 'virbr0']);
  }

  /** What the hook wrote to the journal about an operation, once it is there. */
  async journal(): Promise<string> {
    return this.hv.run(['journalctl', '-t', 'hnet', '--no-pager', '-o', 'cat']);
  }
}
