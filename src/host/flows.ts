/** What connection tracking knows of addresses. */
import { format } from '../model/address.ts';
import { type Forward, familyOf } from '../model/forward.ts';
import type { Family, Prefix } from '../model/prefix.ts';
import { meansAbsence } from './absence.ts';
import { CommandFailure } from './command.ts';
import type { Host } from './host.ts';

/** Removes what connection tracking knows of an address, either way. */
export function forgetFlows(range: Prefix, host: Host): void {
  for (const side of ['--orig-src', '--orig-dst']) forget(range.family, [side, format(range)], host);
}

/** Removes the flows that a forward has led to an address; of a range, all that were led there by this protocol. */
export function forgetCalls(forward: Forward, target: Prefix, host: Host): void {
  const { protocol, ports } = forward;
  const port = ports[0] === ports[1] ? ['--orig-port-dst', String(ports[0])] : ['--dst-nat'];
  forget(familyOf(forward), ['-p', protocol, ...port, '--reply-src', format(target)], host);
}

function forget(family: Family, which: readonly string[], host: Host): void {
  try {
    host.run(['conntrack', '-D', '-f', `ipv${family}`, ...which]);
  } catch (error) {
    if (!(error instanceof CommandFailure && meansAbsence('conntrack', error))) throw error;
  }
}
