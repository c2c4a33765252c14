/** Whether the interfaces of a running domain are where its assignment needs them, now and at its next start; pure. */

import { format } from '../model/address.ts';
import { differingParts, PART_WORDS } from '../model/assignment-parts.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Tap } from '../model/bridge.ts';
import { addressesOf, type Domain, domainWord, nicOn, ownAssignment, tapsOf } from '../model/domain.ts';
import { isAmong } from '../model/prefix.ts';
import type { View } from '../model/view.ts';

/** What brings the interface, or the assignment, back. */
const WAY_OUT = 'hnet assign puts it back';

const bridgesIn = (addresses: Attachment['addresses']): string[] => [
  ...new Set(addresses.map(({ bridge }) => bridge)),
];

/** What of the host's interfaces matters here: which there are, and into which bridges something is plugged. */
export interface Ports {
  readonly names: Pick<ReadonlySet<string>, 'has'>;
  readonly masters: ReadonlySet<string | undefined>;
}

export const portsIn = ({ links }: Pick<View, 'links'>): Ports => ({
  names: links,
  masters: new Set([...links.values()].map(({ master }) => master)),
});

/** Why a domain isn't plugged into one of its bridges. */
export interface Unplugged {
  readonly why: string;
  /** The host's end of its interface, which is gone. */
  readonly tap?: string;
}

/**
 * Bridges into which nothing is plugged: none of the domain's interfaces by libvirt's word, and nothing by the kernel's, for
 * there are other ways to get an interface onto a bridge. And interfaces whose end on the host is gone.
 */
export function unplugged(attachment: Attachment, live: Domain, { names, masters }: Ports): Unplugged[] {
  const bridges = bridgesIn(attachment.addresses);
  const gone = tapsOn(bridges, live).filter(({ name }) => !names.has(name));
  return [
    ...bridges
      .filter(bridge => !masters.has(bridge) && nicOn(live, bridge) === undefined)
      .map(bridge => ({ why: `none of its interfaces is on ${bridge}; ${WAY_OUT}` })),
    ...gone.map(({ name }) => ({ tap: name, why: `${name} is gone from the host; ${REPLUG}` })),
  ];
}

/** libvirt goes on believing in it, so nothing of it can be mended. */
const REPLUG = 'stop and start the VM, which makes it anew';

/** What libvirt was told to cut off. That is the operator's word, and no fault: it is told where somebody asks. */
export const switchedOff = ({ addresses }: Attachment, live: Domain): string[] =>
  tapsOn(bridgesIn(addresses), live)
    .filter(({ isOff }) => isOff)
    .map(
      ({ name }) => `libvirt has switched ${name} off; virsh domif-setlink ${domainWord(live)} ${name} up`,
    );

const tapsOn = (bridges: readonly string[], live: Domain): Tap[] =>
  bridges.flatMap(bridge => tapsOf(live).get(bridge) ?? []);

/**
 * What the next start of a running domain would have otherwise, because it was defined anew, say: any part of its
 * assignment, or an interface that is on its bridge now.
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
  const [assigned, assigns] = [ownAssignment(live), ownAssignment(next)];
  const parts = assigned && assigns ? differingParts(assigned, assigns) : [];
  return [
    ...parts
      .filter(part => part !== 'addresses' || lost.length === 0)
      .map(part => `its definition says something else of its ${PART_WORDS[part]}; ${WAY_OUT}`),
    ...lost.map(({ prefix }) => `its definition doesn't assign ${format(prefix)} to it; ${WAY_OUT}`),
    ...bridges.map(bridge => `in its definition no interface is on ${bridge}; ${WAY_OUT}`),
  ];
}
