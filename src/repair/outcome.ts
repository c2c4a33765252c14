import type { Assignment } from '../model/assignment.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Domain } from '../model/domain.ts';

/** One domain, by its record in /run/hnet and by libvirt. */
export interface Sighting {
  readonly uuid: string;
  /** What the record says, or why it can't be read; undefined: there is none. */
  readonly record: Attachment | string | undefined;
  /** Whether a newer hnet wrote the record. */
  readonly isNewer: boolean;
  /** Whether it had a record before libvirt was asked. */
  readonly hadRecord: boolean;
  /** Whether that record is the one that is there now. */
  readonly isUnchanged: boolean;
  /** Whether libvirt answered at all. */
  readonly isListed: boolean;
  /** The domain, where libvirt says that it runs. */
  readonly domain: Domain | undefined;
  /** Whether it stands still because it is between two hosts; asked of those alone that have no record. */
  readonly isMoving: boolean;
}

export type Outcome =
  /** It runs with what its record says; without libvirt's word it is taken to run. */
  | { readonly is: 'kept'; readonly attachment: Attachment; readonly domain: Domain | undefined }
  /** It runs, and its assignment, or how its addresses come to the host, is another than what it was set up with; undefined: it has none any more. */
  | {
      readonly is: 'changed';
      readonly attachment: Attachment;
      readonly domain: Domain;
      readonly assignment: Assignment | undefined;
      /** What says so, and why it is a fault. */
      readonly by: 'metadata' | 'configuration';
      readonly why: string;
    }
  /** It runs, and its record is lost or can't be read. */
  | {
      readonly is: 'lost';
      readonly domain: Domain;
      readonly assignment: Assignment;
      /** It stands still between two hosts. Its routes wait here until it runs, and it isn't taken from where it may run. */
      readonly state: 'incoming' | undefined;
    }
  /** It doesn't run any more. */
  | { readonly is: 'ended'; readonly attachment: Attachment }
  /** It doesn't run, and what it has left can't be read. */
  | { readonly is: 'damaged'; readonly uuid: string }
  /** Only the operator can put it right. What is set up for it stays. */
  | {
      readonly is: 'unclear';
      readonly uuid: string;
      readonly name: string;
      readonly why: string;
      readonly attachment: Attachment | undefined;
      readonly domain: Domain | undefined;
    }
  | { readonly is: 'none of ours' };
