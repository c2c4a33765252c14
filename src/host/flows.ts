/** What connection tracking knows of addresses. */
import { format } from '../model/address.ts';
import type { Prefix } from '../model/prefix.ts';
import { meansAbsence } from './absence.ts';
import { CommandFailure } from './command.ts';
import type { Host } from './host.ts';

/** Removes what connection tracking knows of an address, either way. */
export function forgetFlows(range: Prefix, host: Host): void {
  for (const side of ['--orig-src', '--orig-dst']) {
    try {
      host.run(['conntrack', '-D', '-f', `ipv${range.family}`, side, format(range)]);
    } catch (error) {
      if (!(error instanceof CommandFailure && meansAbsence('conntrack', error))) throw error;
    }
  }
}
