/** The wires of a domain, what is to be asked on them, and what comes by. */
import type { Prefix } from '../../model/prefix.ts';
import type { Message } from '../frames.ts';

/** An interface of the host, as one side of a wire. */
export interface Side {
  readonly device: string;
}

export interface UplinkSide extends Side {
  /** Undefined on what isn't Ethernet, as a tunnel: no frames are sent or heard there. */
  readonly mac: string | undefined;
  /** The host's own address, of each family. */
  readonly own: readonly Prefix[];
  /** The gateway of each family. */
  readonly gateways: readonly Prefix[];
  /** Who is asked to answer to the domain's addresses: the gateways, and a name server behind them. */
  readonly far: readonly Prefix[];
}

export interface BridgeSide extends Side {
  readonly mac: string;
  /** The host's addresses on it. */
  readonly own: readonly Prefix[];
  /** Addresses that a system on it may have, single ones: those that were assigned, and others that it may use instead. */
  readonly sought: readonly Prefix[];
}

/** A prefix that the domain has. */
export interface Asked {
  readonly prefix: Prefix;
  readonly bridge: string;
  /** The interfaces by which it comes and goes. */
  readonly uplinks: readonly string[];
  /** One of its addresses: whether packets come here is asked for this one, whoever uses it. */
  readonly sample: Prefix;
  /** Its domain's address to which the host hands it on: nobody on the bridge has one of its own addresses. */
  readonly via: Prefix | undefined;
  /** Whether the Internet never sees it: nobody outside can answer to it, and what it sends leaves under another address. */
  readonly isPrivate: boolean;
  /** TCP ports of the domain to which a port of the host leads: who listens there is asked. */
  readonly called: readonly number[];
}

export interface Plan {
  /** By which our pings are known. */
  readonly id: number;
  /** Those by which the domain's addresses come and go. */
  readonly uplinks: readonly UplinkSide[];
  readonly bridges: readonly BridgeSide[];
  readonly prefixes: readonly Asked[];
}

/** A message that came by. */
export interface Sighting {
  readonly device: string;
  /** Whether this host sent it. */
  readonly out: boolean;
  /** Who sent the frame. */
  readonly mac: string;
  /** When, in milliseconds since we began to listen. */
  readonly at: number;
  readonly message: Message;
}
