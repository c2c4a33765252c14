/** What owners want, and what the metadata says; metadata.ts reads and writes it. */
import type { Address } from './bridge.ts';
import type { OwnDhcp } from './dhcp-mode.ts';
import type { Forward } from './forward.ts';
import type { Policy } from './policy.ts';

/** Which addresses a domain shall have: what its owner wants, kept in the domain's own metadata. */
export interface Assignment extends OwnDhcp {
  /** UUID of the domain that the assignment was made for; a clone's copy has another domain's. */
  readonly owner: string | undefined;
  readonly addresses: readonly Address[];
  readonly policy: Policy;
  /** Ports of the host that lead to it; absent: none. */
  readonly forwards?: readonly Forward[];
}

/** What a domain's metadata says about us: nothing, an assignment, or something that can't be read. */
export type Intent =
  | { readonly kind: 'none' }
  | { readonly kind: 'assigned'; readonly assignment: Assignment }
  | { readonly kind: 'malformed'; readonly why: string };
