/** Times as people and mail write them. */
import { quote, Refusal } from './refusal.ts';

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?$/i;
/** A date of mail (RFC 5322, 3.3), which abuse reports have. */
const MAIL =
  /^(?:[a-z]{3}, ?)?\d{1,2} [a-z]{3} \d{4} \d\d:\d\d(?::\d\d)? (?:UTC|GMT|[+-]\d{4})(?: \(.*\))?$/i;

/**
 * Reads a moment: `2026-11-28 17:03:45`, which is UTC unless it ends with a zone (`Z`, `+01:00`); the date of a mail; or `@` and
 * seconds since the epoch.
 * @returns ISO 8601 in UTC, with milliseconds
 * @throws Refusal for any other text
 */
export function parseTime(text: string): string {
  const time = millisecondsOf(text.trim());
  if (Number.isNaN(time))
    throw new Refusal(
      `${quote(text)} is not a time such as "2026-11-28 17:03:45", "2026-11-28T18:03:45+01:00" or @1795885425`,
    );
  return new Date(time).toISOString();
}

function millisecondsOf(text: string): number {
  const [, epoch] = /^@(\d{1,11})$/.exec(text) ?? [];
  if (epoch !== undefined) return Number(epoch) * 1000;
  if (MAIL.test(text)) return Date.parse(text.replace(/\(.*\)$/, ''));
  const [, day, clock = '00:00', zone = 'Z'] = ISO.exec(text) ?? [];
  // Date.parse takes the 31st of February for the 3rd of March.
  if (!isDay(day)) return Number.NaN;
  const offset = /^[a-z]/i.test(zone) ? 'Z' : zone.replace(/^(...):?/, '$1:');
  return Date.parse(`${day}T${clock}${offset}`);
}

const isDay = (day = ''): boolean => {
  const time = Date.parse(`${day}T00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
};

/** A moment for people, to the second: `2026-11-28 17:03:45Z`. @param iso ISO 8601 in UTC */
export const shownTime = (iso: string): string => iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
