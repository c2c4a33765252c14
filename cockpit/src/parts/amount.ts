import prettyBytes from 'pretty-bytes';
import { texts } from '../texts.ts';

/** As hnet itself writes amounts. */
export const bytes = (amount: number): string => prettyBytes(Math.round(amount), { binary: true });

/** Of bytes in a second; a dash for none, which is what most addresses have most of the time. */
export const rate = (amount: number): string => (amount < 1 ? '–' : texts.perSecond(bytes(amount)));

const NUMBERS = new Intl.NumberFormat();
export const count = (amount: number): string => NUMBERS.format(amount);
