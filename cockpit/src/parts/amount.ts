import prettyBytes from 'pretty-bytes';
import { texts } from '../texts.ts';

/** As hnet itself writes amounts. */
export const bytes = (amount: number): string => prettyBytes(Math.round(amount), { binary: true });

/** Of bytes in a second; a dash for none, which is what most addresses have most of the time. */
export const rate = (amount: number): string => (amount < 1 ? '–' : texts.perSecond(bytes(amount)));

const NUMBERS = new Intl.NumberFormat();
export const count = (amount: number): string => NUMBERS.format(amount);

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Sizes of pools; of IPv6 as a power, for nobody reads twenty digits. */
export const poolCount = (amount: number): string =>
  amount < 1e9
    ? count(amount)
    : `2${[...String(Math.round(Math.log2(amount)))].map(digit => RAISED[Number(digit)]).join('')}`;
