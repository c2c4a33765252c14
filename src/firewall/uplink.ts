import type { Prefix } from '../address.ts';

/** Where the Internet is, and which address of the host stands for the bootstrap leases. */
export interface Uplink {
  readonly device: string;
  readonly host: Prefix;
  readonly gateway: Prefix | undefined;
}
