/** What a command says of running domains that it has changed, by a look afterwards. */
import type { Context } from '../host/context.ts';
import type { KnownDomain } from '../libvirt/libvirt.ts';
import { quote, visible } from '../model/refusal.ts';
import type { Shown } from './views/shapes.ts';

type Voice = Pick<Context, 'print' | 'warn'>;

/**
 * Says of one that runs that it has what it was given, where nothing is wrong with it; else {@link warnOfFaults}.
 * @param seen what a look has seen of it; nothing, where it has nothing any more
 */
export function tellInForce({ domain, active }: KnownDomain, seen: readonly Shown[], voice: Voice): void {
  warnOfFaults(seen, voice);
  if (active && seen.every(({ faults }) => faults.length === 0))
    voice.print(`${visible(domain.name)} is running: this is in force now`);
}

/** Says what is wrong with them, a line each. */
export function warnOfFaults(running: readonly Shown[], { warn }: Pick<Voice, 'warn'>): void {
  for (const { domain, faults } of running) {
    const [first, ...more] = faults;
    const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
    if (first !== undefined)
      warn(`${quote(domain)} runs, and not all is as it should be: ${first}${others}; hnet check tells all`);
  }
}
