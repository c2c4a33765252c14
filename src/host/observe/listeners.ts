/** Programs of the host that wait for calls. */
import { parseAddress } from '../../model/address.ts';
import { type Forward, familyOf } from '../../model/forward.ts';
import { contains, equal, type Prefix } from '../../model/prefix.ts';
import { ifPossible, quote, Refusal } from '../../model/refusal.ts';
import { LOOPBACK } from '../../model/reserved.ts';
import type { Host } from '../host.ts';

export interface Listener {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** Undefined: every address. */
  readonly address: Prefix | undefined;
  /** The interface to which it has bound itself. */
  readonly device: string | undefined;
  /** Undefined where it can't be known. */
  readonly program: string | undefined;
}

/** Prints the sockets that wait for calls, with their programs. */
export const LISTENERS = ['ss', '-Hlntup'];

/** @throws Refusal if `ss` isn't there, or prints what isn't understood */
export const listeners = (host: Host): Listener[] =>
  host
    .run(LISTENERS)
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(parseListener);

/** Reads a line of `ss -Hlntup`: `tcp LISTEN 0 128 0.0.0.0%br1:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))`. */
export function parseListener(line: string): Listener {
  const [, protocol, where = '', device, port, users] =
    /^(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S*?)(?:%([^\s:]+))?:(\d+)\s+\S+(.*)$/.exec(line) ?? [];
  if (protocol !== 'tcp' && protocol !== 'udp')
    throw new Refusal(`Cannot read ${quote(line)}, which ss has printed: it is no socket`);
  const text = where.replace(/^\[(.*)\]$/, '$1');
  const every = ['*', '0.0.0.0', '::'].includes(text);
  const program = /\(\("((?:[^"\\]|\\.)*)"/.exec(users ?? '')?.[1];
  return {
    protocol,
    port: Number(port),
    address: every ? undefined : ifPossible(() => parseAddress(text.replace(/%.*$/, ''))),
    device,
    program,
  };
}

/** Whether a forward would take a program's calls away. */
export function isCalled({ protocol, port, address, device }: Listener, forward: Forward): boolean {
  const { ports, on } = forward;
  if (protocol !== forward.protocol || port < ports[0] || port > ports[1] || device === 'lo') return false;
  if (address === undefined) return true;
  if (address.family !== familyOf(forward) || contains(LOOPBACK[address.family], address)) return false;
  return on === undefined || equal(address, on);
}
