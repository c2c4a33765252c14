/** What an assignment may not choose any more. */
import type { Address } from '../model/bridge.ts';
import type { HostAddress, PeerAddress } from '../model/host-address.ts';
import type { Prefix } from '../model/prefix.ts';

/** What is taken already, on this host and by any domain, running or not. */
export interface Taken {
  readonly holdings: readonly Holding[];
  /** The host's own addresses and the gateway. */
  readonly own: readonly Prefix[];
  /** Every address of the host, with its interface. */
  readonly host: readonly HostAddress[];
  /** What other hosts of the cluster have themselves. */
  readonly peers: readonly PeerAddress[];
  /** Names of the host's interfaces that aren't ours. */
  readonly interfaces: ReadonlySet<string>;
  /** Prefixes that the host routes elsewhere, the default route left out. */
  readonly routed: readonly Prefix[];
}

/** An address and the domain that holds it. */
export interface Holding {
  readonly domain: string;
  readonly name: string;
  readonly address: Pick<Address, 'prefix' | 'bridge' | 'scope'>;
  /** The peer on which the domain is; undefined: it is here. */
  readonly host?: string;
  /** Whether it runs there. */
  readonly runs?: boolean;
}
