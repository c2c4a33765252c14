/** What becomes of domains. */
import type { Attachment } from '../model/attachment.ts';
import type { Taps } from '../model/domain.ts';
import type { Resource } from '../resources/resource.ts';

/** What one domain has, and what it shall have. */
export interface Change {
  readonly before: Attachment | undefined;
  readonly after: Attachment | undefined;
  /** Its taps, where it runs: a bridge that has to be made anew gets them back. */
  readonly taps?: Taps;
  /** What it shall have besides its plan: a repair also looks after its claims. */
  readonly besides?: readonly Resource[];
}
