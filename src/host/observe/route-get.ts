/** Reads what `ip route get` says of a packet. */
import * as v from 'valibot';
import type { Verdict } from '../../model/verdict.ts';
import type { Answer } from '../query.ts';
import { OWN_ROUTES } from './ip.ts';

const routeSchema = v.object({
  type: v.optional(v.string(), 'unicast'),
  dev: v.optional(v.string(), ''),
  table: v.optional(v.string(), 'main'),
});

/** Reads an answer to `ip route get`; one that makes no sense counts as a drop, never as an error. */
export function toVerdict({ found, failure }: Answer): Verdict {
  if (failure !== undefined) return { is: 'dropped', words: wordsOf(failure) };
  const read = v.safeParse(routeSchema, found[0]);
  if (!read.success) return { is: 'dropped', words: 'ip gives no route' };
  const { type, dev, table } = read.output;
  if (OWN_ROUTES.includes(type)) return { is: 'delivered' };
  if (type === 'unicast' && dev !== '') return { is: 'forwarded', dev, table };
  return { is: 'dropped', words: type };
}

/** The kernel's error without what `ip` puts before it. */
const wordsOf = (failure: string): string =>
  failure
    .replace(/^(RTNETLINK answers|Error): */gm, '')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .join('; ');
