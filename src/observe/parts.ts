/** What a whole look and a brief one have in common. */
import type { Look } from '../firewall/firewall.ts';
import { CommandFailure, type Host, readIfThere } from '../host.ts';
import type { View } from '../view.ts';

/**
 * What stands in the filter.
 * @throws CommandFailure where it can't be seen: to take that for nothing would be to set it all up twice
 */
export function look(host: Host, { commands, parse }: Look): View['filter'] {
  return parse(
    commands.map(({ argv, stdin, failsIfEmpty }) => {
      try {
        return host.run(argv, stdin);
      } catch (error) {
        if (failsIfEmpty && error instanceof CommandFailure) return '';
        throw error;
      }
    }),
  );
}

/** A file of the kernel's, without its final newline. */
export function sysctl(path: string): string | undefined {
  return readIfThere(path)?.trim();
}
