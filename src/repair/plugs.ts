/** Whether the interfaces of a running domain are where its assignment needs them, now and at its next start; pure. */
import { format } from '../model/address.ts';
import type { Attachment } from '../model/attachment.ts';
import { addressesOf, type Domain, nicOn } from '../model/domain.ts';
import { isAmong } from '../model/prefix.ts';
import type { View } from '../model/view.ts';

/** What brings the interface, or the assignment, back. */
const WAY_OUT = 'hnet assign puts it back';

const bridgesIn = (addresses: Attachment['addresses']): string[] => [
  ...new Set(addresses.map(({ bridge }) => bridge)),
];

/** Bridges into which something is plugged. */
export type Masters = ReadonlySet<string | undefined>;

export const mastersIn = ({ links }: Pick<View, 'links'>): Masters =>
  new Set([...links.values()].map(({ master }) => master));

/**
 * Bridges into which nothing is plugged: none of the domain's interfaces by libvirt's word, and nothing by the kernel's, for
 * there are other ways to get an interface onto a bridge.
 */
export function unplugged({ addresses }: Attachment, live: Domain, masters: Masters): string[] {
  return bridgesIn(addresses)
    .filter(bridge => !masters.has(bridge) && nicOn(live, bridge) === undefined)
    .map(bridge => `none of its interfaces is on ${bridge}; ${WAY_OUT}`);
}

/**
 * What the next start of a running domain would lack, because it was defined anew, say: addresses, or an interface that is
 * on its bridge now.
 * @param next its definition
 */
export function lackingNext(live: Domain, next: Domain): string[] {
  const [now, then] = [addressesOf(live), addressesOf(next)];
  const lost = now.filter(
    ({ prefix }) =>
      !isAmong(
        then.map(one => one.prefix),
        prefix,
      ),
  );
  const bridges = bridgesIn(now).filter(
    bridge => nicOn(live, bridge) !== undefined && nicOn(next, bridge) === undefined,
  );
  return [
    ...lost.map(({ prefix }) => `its definition doesn't assign ${format(prefix)} to it; ${WAY_OUT}`),
    ...bridges.map(bridge => `in its definition no interface is on ${bridge}; ${WAY_OUT}`),
  ];
}
