/** Asks the kernel what it would do with the packets of an address. */
import * as v from 'valibot';
import type { Host } from '../../host/host.ts';
import { FAR_AWAY } from '../../host/observe/uplink.ts';
import { type Answer, about } from '../../host/query.ts';
import { format } from '../../model/address.ts';
import type { Address } from '../../model/bridge.ts';
import { isSingle, nth } from '../../model/prefix.ts';
import type { Uplink } from '../../model/uplink.ts';

/** Why an address wouldn't be served, and a command that mends it or shows more. */
export interface Obstruction {
  readonly why: string;
  readonly mend: string;
}

/** What keeps each address from being served; an empty list where nothing does. */
export function obstructions(
  addresses: readonly Address[],
  uplink: Uplink,
  host: Host,
): ReadonlyMap<Address, readonly Obstruction[]> {
  const far = ({ prefix }: Address): string => FAR_AWAY[prefix.family].at(-1) ?? '';
  const { towards, back } = host.query({
    towards: about(addresses, one => `route get ${single(one)} from ${far(one)} iif ${uplink.device}`),
    back: about(addresses, one => `route get ${far(one)} from ${single(one)} iif ${one.bridge}`),
  });
  return new Map(
    addresses.map(one => [
      one,
      [
        ...judge(towards.get(one), one.bridge, `packets to it`, `ip route get ${single(one)}`),
        ...judge(back.get(one), uplink.device, `what it sends`, `ip -${one.prefix.family} rule show`),
      ],
    ]),
  );
}

/** The first address of an IPv6 subnet is the host's own. */
const single = ({ prefix }: Address): string => format(nth(prefix, isSingle(prefix) ? 0n : 1n));

const schema = v.object({
  type: v.optional(v.string(), 'unicast'),
  dev: v.optional(v.string(), ''),
  table: v.optional(v.string(), 'main'),
});

function judge(answer: Answer | undefined, wanted: string, what: string, mend: string): Obstruction[] {
  if (answer?.failure !== undefined) return [{ why: `the kernel drops ${what}: ${answer.failure}`, mend }];
  const read = v.safeParse(schema, answer?.found[0]);
  if (!read.success) return [];
  const { type, dev, table } = read.output;
  if (type === 'local') return [{ why: `the host takes ${what} for itself: it has the address`, mend }];
  if (dev === wanted) return [];
  const by = table === 'main' ? '' : `, by the table ${table}`;
  return [{ why: `the kernel sends ${what} to ${dev}${by}`, mend }];
}
