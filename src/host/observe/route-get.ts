/** Reads what `ip route get fibmatch` says of a packet. */
import * as v from 'valibot';
import type { Verdict } from '../../model/verdict.ts';
import type { Answer } from '../query.ts';
import { devicesOf, OWN_ROUTES } from './ip.ts';

const routeSchema = v.object({
  type: v.optional(v.string(), 'unicast'),
  dev: v.optional(v.string()),
  nexthops: v.optional(
    v.array(v.object({ dev: v.optional(v.string()), flags: v.optional(v.array(v.string()), []) })),
    [],
  ),
  table: v.optional(v.string(), 'main'),
});

/** Reads an answer to `ip route get fibmatch`; one that makes no sense counts as a drop, never as an error. */
export function toVerdict({ found, failure }: Answer): Verdict {
  if (failure !== undefined) return { is: 'dropped', words: wordsOf(failure) };
  const read = v.safeParse(routeSchema, found[0]);
  if (!read.success) return { is: 'dropped', words: 'ip gives no route' };
  const { type, table } = read.output;
  const [first, ...others] = devicesOf(read.output);
  if (OWN_ROUTES.includes(type)) return { is: 'delivered' };
  if (type === 'unicast' && first !== undefined)
    return { is: 'forwarded', devices: [first, ...others], table };
  return { is: 'dropped', words: type };
}

/** Whether it is a way of which only a number is told, that of a next hop. */
export const namesNoDevice = ({ found }: Answer): boolean => {
  const read = v.safeParse(routeSchema, found[0]);
  return read.success && read.output.type === 'unicast' && devicesOf(read.output).length === 0;
};

/** The kernel's error without what `ip` puts before it. */
const wordsOf = (failure: string): string =>
  failure
    .replace(/^(RTNETLINK answers|Error): */gm, '')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .join('; ');
