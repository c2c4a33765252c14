/** A domain's address in the words of hnet's answers. */
import { format } from './address.ts';
import type { Address } from './bridge.ts';

/** An address as programs are told of it. */
export interface AddressState {
  readonly address: string;
  readonly bridge: string;
  readonly scope: string;
  /** Its own address that routes this one on. */
  readonly via: string | null;
}

export const addressState = ({ prefix, bridge, scope, via }: Address): AddressState => ({
  address: format(prefix),
  bridge,
  scope: format(scope),
  via: via === undefined ? null : format(via),
});

/** The same in a line for people. */
export const addressLine = ({ address, bridge, scope, via }: AddressState): string =>
  `${address} on ${bridge}, ${via === null ? `bootstrap scope ${scope}` : `via ${via}`}`;
