/** The attachments, kept in memory: an event names a domain, and then a moment counts. */
import type { Attachment } from '../model/attachment.ts';
import { ifPossible } from '../model/refusal.ts';
import { attachedDomains, stampOf } from '../state/attachment-files.ts';
import { readableAttachment } from '../state/attachment-store.ts';

interface Known {
  readonly stamp: string | undefined;
  readonly attachment: Attachment | undefined;
}

export class Roster {
  #known: ReadonlyMap<string, Known> = new Map();

  /** All that can be read, as they are now. It reads only those that were written since the last call. */
  all(): Attachment[] {
    const before = this.#known;
    this.#known = new Map(
      [...attachedDomains()].map(uuid => {
        const [stamp, known] = [stampOf(uuid), before.get(uuid)];
        if (known !== undefined && known.stamp === stamp) return [uuid, known];
        return [uuid, { stamp, attachment: ifPossible(() => readableAttachment(uuid)) }];
      }),
    );
    return [...this.#known.values()].flatMap(({ attachment }) => attachment ?? []);
  }

  named = (name: string): Attachment[] => this.all().filter(one => one.name === name);

  of = (uuid: string): Attachment | undefined => this.all().find(({ domain }) => domain === uuid);
}
