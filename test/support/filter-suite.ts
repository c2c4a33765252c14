import { Lab } from '../lab/lab.ts';
import { ensureBuilt } from './build.ts';
import { BACKENDS, type Backend, Filtered, type FilteredOptions } from './filtered.ts';
import { closeSockets } from './syscalls.ts';

/** What a suite gets: the backend it is played on, and hosts, which live as long as the suite. */
export interface Ground {
  readonly backend: Backend;
  readonly host: (options?: FilteredOptions) => Promise<Filtered>;
}

/**
 * The same tests on every backend: a lab for each, and by convention one host that the tests share.
 * @param backends those between which it makes a difference; what is kept in ipset is one for both kinds of iptables
 */
export function filterSuite(
  title: string,
  tests: (ground: Ground) => void,
  backends: readonly Backend[] = BACKENDS,
): void {
  for (const backend of backends) {
    describe(`${title} (${backend})`, () => {
      let lab: Lab;
      const hosts: Filtered[] = [];
      before(async () => {
        await ensureBuilt();
        lab = await Lab.create();
      });
      after(() => {
        closeSockets();
        lab.remove();
      });
      tests({
        backend,
        host: async options => {
          // All are the provider's h1, of which there is one at a time.
          for (const host of hosts.splice(0)) await host.remove();
          const made = await Filtered.create(lab, backend, options);
          hosts.push(made);
          return made;
        },
      });
    });
  }
}
