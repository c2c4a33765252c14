/** What a survey finds. */
import type { Firewall } from '../firewall/rules/backend.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import type { Unserved } from '../model/unserved.ts';
import type { Uplinks } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import type { Due } from '../moves/due.ts';
import type { Change } from '../plan/change.ts';
import type { Checked } from '../plan/walker.ts';
import type { Stray } from '../resources/resource.ts';
import type { Outcome } from './outcome.ts';
import type { Unplugged } from './plugs.ts';

/** A domain that keeps what it has: the change that repairs it, and the resources that aren't as they should be. */
export interface Kept {
  readonly attachment: Attachment;
  readonly change: Change;
  readonly wrong: readonly Checked[];
}

export type Of<K extends Outcome['is']> = Extract<Outcome, { is: K }>;

/** What was looked at, and by which configuration. */
export interface Seen {
  readonly config: Config;
  readonly firewall: Firewall;
  readonly uplinks: Uplinks;
  readonly view: View;
}

export interface Survey extends Seen {
  /** Resources of the base that aren't as they should be. */
  readonly base: readonly Checked[];
  readonly kept: readonly Kept[];
  readonly changed: readonly Of<'changed'>[];
  readonly lost: readonly Of<'lost'>[];
  readonly ended: readonly Of<'ended'>[];
  readonly damaged: readonly Of<'damaged'>[];
  readonly unclear: readonly Of<'unclear'>[];
  readonly strays: readonly Stray[];
  /**
   * Addresses that the kernel wouldn't serve although all of their way that is ours is there. It is asked about domains that
   * lack nothing: else that is the cause.
   */
  readonly unserved: readonly Unserved[];
  /** Running domains that aren't plugged into one of their bridges. */
  readonly unplugged: readonly (Unplugged & { readonly attachment: Attachment })[];
  /** Domains that libvirt says to be elsewhere on their way between hosts than their routes are. */
  readonly due: readonly Due[];
  /** Why libvirt couldn't be asked which domains run; undefined if it answered. */
  readonly unasked: string | undefined;
  /** The backend that the configuration doesn't choose, if something of it exists. */
  readonly other: Firewall | undefined;
}

/** Whether there is anything that a repair can do. */
export const needsRepair = (found: Survey): boolean =>
  found.other !== undefined ||
  [found.base, found.changed, found.lost, found.ended, found.damaged, found.strays].some(
    ({ length }) => length > 0,
  ) ||
  found.kept.some(({ wrong, attachment }) => wrong.length > 0 || attachment.backend !== found.firewall.name);
