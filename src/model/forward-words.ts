/** Forwards in the words of `hnet forward`, and where they lead. */
import { format, parseAddress } from './address.ts';
import { type Address, isPrivate } from './bridge.ts';
import type { Forward } from './forward.ts';
import { formatPorts, type PortRange } from './ports.ts';
import { type Family, isSingle, type Prefix } from './prefix.ts';
import { quote, Refusal } from './refusal.ts';

/** A range may have so many ports: nftables has an entry for each where the domain's ports are others. */
const WIDEST = 1024;

/**
 * Reads a forward: `PROTOCOL/PORTS[:PORT] [on ADDRESS]`, such as `tcp/2201:22` or `udp/4000-4010 on 198.51.100.9`.
 * Without a second port the domain's are the same.
 * @throws Refusal that says what is wrong with it
 */
export function parseForward(text: string): Forward {
  const [, protocol, first, final = first, inner = first, on] =
    /^(tcp|udp)\/(\d{1,5})(?:-(\d{1,5}))?(?::(\d{1,5}(?:-\d{1,5})?))?(?: on (\S+))?$/.exec(text.trim()) ?? [];
  if (first === undefined || inner === undefined || (protocol !== 'tcp' && protocol !== 'udp'))
    throw new Refusal(`${quote(text)} is not a forward such as tcp/2201:22 or udp/4000-4010`);
  const ports = [Number(first), Number(final)] as const;
  const [to = 0, last] = inner.split('-').map(Number);
  const count = ports[1] - ports[0];
  if (count < 0) throw new Refusal(`${quote(text)} has a range that ends before it begins`);
  if (last !== undefined && last - to !== count)
    throw new Refusal(`${quote(text)} has two ranges of different length`);
  if (count >= WIDEST) throw new Refusal(`${quote(text)} has more than ${WIDEST} ports; take several ranges`);
  if ([ports[0], to].some(port => port < 1) || [ports[1], to + count].some(port => port > 65535))
    throw new Refusal(`${quote(text)} has a port that is not from 1 to 65535`);
  return { protocol, ports, to, on: on === undefined ? undefined : parseAddress(on) };
}

/** A forward in its canonical form, which the metadata keeps. */
export const formatForward = (forward: Forward): string =>
  formatCalled(forward, forward.to === forward.ports[0] ? '' : `:${forward.to}`);

/** Which of the host's ports are called: `tcp/2201 on 198.51.100.9`. */
export const formatCalled = ({ protocol, ports, on }: Forward, inner = ''): string =>
  `${protocol}/${formatPorts(ports)}${inner}${on === undefined ? '' : ` on ${format(on)}`}`;

/** The domain's ports for those of the host. */
export const innerPorts = ({ ports: [first, final], to }: Forward): PortRange => [to, to + final - first];

export const isSameForward = (a: Forward, b: Forward): boolean => formatForward(a) === formatForward(b);

/** The domain's address to which forwards of a family lead: a private one, or else its first. */
export function targetOf(addresses: readonly Address[], family: Family): Prefix | undefined {
  const own = addresses.filter(({ prefix, via }) => prefix.family === family && isSingle(prefix) && !via);
  return (own.find(isPrivate) ?? own[0])?.prefix;
}
