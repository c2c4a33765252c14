/** What connection tracking knows of addresses. */
import { format, parsePrefix } from '../model/address.ts';
import { type Forward, familyOf } from '../model/forward.ts';
import type { Family, Prefix } from '../model/prefix.ts';
import { meansAbsence } from './absence.ts';
import { CommandFailure } from './command.ts';
import type { Host } from './host.ts';

/** Removes what connection tracking knows of an address, either way. */
export function forgetFlows(range: Prefix, host: Host): void {
  for (const side of ['--orig-src', '--orig-dst']) forget(range.family, [side, format(range)], host);
}

/**
 * The flows of some addresses, a line each, as {@link addFlows} reads them. None where nothing can be asked.
 */
export function flowsOf(ranges: readonly Prefix[], host: Host): string[] {
  const lines = ranges.flatMap(range =>
    ['--orig-src', '--orig-dst'].flatMap(side =>
      host
        .output(['conntrack', '-L', '-f', `ipv${range.family}`, side, format(range), '-o', 'save'])
        .split('\n'),
    ),
  );
  return [...new Set(lines.filter(line => line.startsWith('-A ')))];
}

/** Removes flows; what has ended meanwhile is no failure. */
export function dropFlows(flows: readonly string[], host: Host): void {
  // The tool takes what a flow has as a condition, and of these there are none.
  const lines = flows.map(line => line.replace(/^-A/, '-D').replace(/ (-t|-u|--state) \S+/g, ''));
  obey(lines, host);
}

/** Adds flows to those that the kernel knows. @throws CommandFailure for a line that isn't one */
export const addFlows = (flows: readonly string[], host: Host): void => obey(flows, host);

/** conntrack opens its standard input by name. In children of Node that is a socket, which can't be opened; a pipe can. */
function obey(lines: readonly string[], host: Host): void {
  if (lines.length > 0) host.run(['sh', '-c', 'cat | conntrack -R -'], `${lines.join('\n')}\n`);
}

/** The two ends of a flow, by its first packet. */
export function endsOfFlow(flow: string): Prefix[] {
  const [, from, to] = / -s (\S+) -d (\S+) /.exec(flow) ?? [];
  return from === undefined || to === undefined ? [] : [parsePrefix(from), parsePrefix(to)];
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
