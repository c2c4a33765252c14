import { quote, visible } from './refusal.ts';

/** One thing that a change adds, takes away or makes different. */
export interface Difference {
  readonly is: 'added' | 'removed' | 'changed';
  /** The name of the domain that it is about; null: the host. */
  readonly domain: string | null;
  /** For people. */
  readonly what: string;
}

const SIGNS: Readonly<Record<Difference['is'], string>> = { added: '+', removed: '-', changed: '~' };

/** A difference in one line, as a dry run shows it. */
export const differenceLine = ({ is, domain, what }: Difference): string =>
  `${SIGNS[is]} ${domain === null ? '' : `${quote(domain)}: `}${visible(what)}`;
