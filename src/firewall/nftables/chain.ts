/** How a chain is written to nft. */
import type { Family } from '../../model/prefix.ts';
import { type Action, nft } from '../../resources/action.ts';
import type { Chain } from '../rules/rules.ts';
import { renderRule, tableOf } from './text.ts';

/** A chain as nft reads it. */
export interface Written {
  readonly name: string;
  readonly lines: readonly string[];
}

export const written = ({ name, rules }: Chain, family: Family): Written => ({
  name,
  lines: rules.flatMap(rule => renderRule(rule, family)),
});

/** Adds the lines to a chain that exists and is empty, with the fingerprint as the last one's comment. */
export const fill = ({ name, lines }: Written, mark: string, family: Family): Action[] =>
  lines.map((line, index) => {
    const comment = index === lines.length - 1 ? ` comment "${mark}"` : '';
    return nft('add', 'rule', tableOf(family), name, `${line}${comment}`);
  });
