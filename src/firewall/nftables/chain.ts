/** A chain in nft: how it is written, and how it is recognised. */

import { digest } from '../../model/names.ts';
import type { Family } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import { type Action, nft } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, PRESENT } from '../../resources/resource.ts';
import type { Chain } from '../rules/rules.ts';
import { chainKey, renderRule, tableOf } from './text.ts';

/** A chain as nft reads it. */
export interface Written {
  readonly name: string;
  readonly lines: readonly string[];
}

export const written = ({ name, rules }: Chain, family: Family): Written => ({
  name,
  lines: rules.flatMap(rule => renderRule(rule, family)),
});

/**
 * A fingerprint, which the last rule of a chain carries as its comment. The rules themselves can't be compared: nft prints
 * them in another form than it reads.
 */
export const markOf = (contents: unknown): string => `hnet:${digest(JSON.stringify(contents))}`;

/** Adds the lines to a chain that exists and is empty. */
export const fill = ({ name, lines }: Written, mark: string, family: Family): Action[] =>
  lines.map((line, index) => {
    const comment = index === lines.length - 1 ? ` comment "${mark}"` : '';
    return nft('add', 'rule', tableOf(family), name, `${line}${comment}`);
  });

/** Whether a chain exists with the fingerprint and as many rules as it should have. */
export function probeChain(
  { name, lines }: Written,
  mark: string,
  family: Family,
  chains: FilterView['chains'],
): Finding {
  const actual = chains.get(chainKey(name, family));
  if (actual === undefined) return ABSENT;
  if (actual.length !== lines.length)
    return changed(`${name} has ${actual.length} rules, not ${lines.length}`);
  return actual.at(-1)?.text.includes(mark) ? PRESENT : changed(`${name} has other rules`);
}
