/** Asks the kernel what it would do with packets. */
import * as v from 'valibot';
import { format } from '../../model/address.ts';
import type { Packet, Verdict } from '../../model/verdict.ts';
import type { Host } from '../host.ts';
import { type Answer, about } from '../query.ts';
import { OWN_ROUTES } from './ip.ts';

/** The verdict about each packet, in one process. @throws Refusal if `ip` gives no answer, or one that isn't whole */
export function askVerdicts(host: Host, packets: readonly Packet[]): ReadonlyMap<Packet, Verdict> {
  if (packets.length === 0) return new Map();
  const { lookups } = host.query({ lookups: about(packets, questionOf) });
  return new Map([...lookups].map(([packet, answer]) => [packet, toVerdict(answer)]));
}

/** The words after `ip` that ask about a packet. */
export const questionOf = ({ from, to, iif }: Packet): string =>
  `route get ${format(to)} from ${format(from)} iif ${iif}`;

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
