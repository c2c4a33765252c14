/** The wires of a domain, what is to be asked on them, and what comes by. */
import type { Prefix } from '../../model/prefix.ts';
import type { Message } from '../frames.ts';

/** An interface of the host, as one side of a wire. */
export interface Side {
  readonly device: string;
  readonly mac: string;
}

export interface UplinkSide extends Side {
  /** The host's own address, of each family. */
  readonly own: readonly Prefix[];
  /** The gateway of each family. */
  readonly gateways: readonly Prefix[];
  /** Who is asked to answer to the domain's addresses: the gateways, and a name server behind them. */
  readonly far: readonly Prefix[];
}

export interface BridgeSide extends Side {
  /** The host's addresses on it. */
  readonly own: readonly Prefix[];
  /** Addresses that a system on it may have, single ones: those that were assigned, and others that it may use instead. */
  readonly sought: readonly Prefix[];
}

/** A prefix that the domain has. */
export interface Asked {
  readonly prefix: Prefix;
  readonly bridge: string;
  /** One of its addresses: whether packets come here is asked for this one, whoever uses it. */
  readonly sample: Prefix;
}

export interface Plan {
  /** By which our pings are known. */
  readonly id: number;
  /** Undefined where nothing can be heard there. */
  readonly uplink: UplinkSide | undefined;
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
