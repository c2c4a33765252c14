/** Which bridges send more than their allowance. */
import { FAMILIES } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import type { Firewall } from './backend.ts';
import { CAUSES } from './rules.ts';
import { DHCP_MESSAGES, SOLICITATIONS, setNames } from './sets.ts';

/**
 * Allowances that a set of the filter counts, and why a packet too many is dropped; of what a domain sends. A scan of its
 * subnet from outside costs nobody an answer.
 */
const FLOODS = [
  { key: 'asking', allowance: DHCP_MESSAGES, cause: CAUSES.asking },
  { key: 'soliciting', allowance: SOLICITATIONS, cause: CAUSES.solicitation },
] as const;

/** Why a bridge loses packets lately, by a look at everything. */
export const floodsOf = (bridge: string, firewall: Firewall, filter: FilterView): string[] =>
  FLOODS.filter(({ key, allowance }) =>
    FAMILIES.some(family => firewall.exceeding(setNames(family)[key], allowance, filter).includes(bridge)),
  ).map(({ cause }) => cause);
