import type { Attachment } from '../model/attachment.ts';
import type { Taps } from '../model/bridge.ts';
import type { Resource } from '../resources/resource.ts';

/** What one domain has, and what it should have. */
export interface Change {
  readonly before: Attachment | undefined;
  readonly after: Attachment | undefined;
  /** The taps of a running domain: a bridge that has to be made anew gets them back. */
  readonly taps?: Taps;
  /** What it should have besides its plan: a repair also repairs its claims. */
  readonly besides?: readonly Resource[];
}
