/** Ports of the host that lead to a domain; forward-words.ts has the words for it. */
import type { PortRange } from './ports.ts';
import { equal, type Family, type Prefix } from './prefix.ts';

/** Calls to ports of the host, which a domain answers. */
export interface Forward {
  readonly protocol: 'tcp' | 'udp';
  /** The host's ports. */
  readonly ports: PortRange;
  /** The domain's port for the first of them; those of the others follow. */
  readonly to: number;
  /** The address of the host that is called; undefined: any of its IPv4 addresses. */
  readonly on: Prefix | undefined;
}

export const familyOf = ({ on }: Forward): Family => on?.family ?? 4;

/** Whether a packet could be meant by both. */
export const collide = (a: Forward, b: Forward): boolean =>
  a.protocol === b.protocol &&
  familyOf(a) === familyOf(b) &&
  (a.on === undefined || b.on === undefined || equal(a.on, b.on)) &&
  a.ports[0] <= b.ports[1] &&
  b.ports[0] <= a.ports[1];
