import type { Attachment } from './attachment.ts';
import type { Prefix } from './prefix.ts';
import type { Cause } from './verdict.ts';

/** An address of a running domain that the kernel wouldn't serve. */
export interface Unserved {
  readonly attachment: Attachment;
  readonly address: Prefix;
  readonly cause: Cause;
}
