/** What our own files say of all running domains, for a repair. */
import { namesIn } from '../host/files.ts';
import type { Attachment } from '../model/attachment.ts';
import { ATTACHMENTS_DIRECTORY, CLAIMS_DIRECTORY, DHCP_DIRECTORY } from '../model/names.ts';
import { reason } from '../model/refusal.ts';
import { NewerRefusal } from '../model/version.ts';
import { attachedDomains, readAttachment, stampOf } from './attachment-files.ts';
import { allClaims } from './claim-index.ts';

interface Entry {
  readonly domain: string;
  readonly stamp: string;
  /** The attachment, or why it can't be read. */
  readonly content: Attachment | string;
  /** Whether that is because a newer hnet wrote it. */
  readonly isNewer: boolean;
}

export interface Records {
  readonly entries: readonly Entry[];
  /** Claim → the domain it names. */
  readonly claims: ReadonlyMap<string, string>;
  /** Bridges whose DHCP server has files. */
  readonly servers: readonly string[];
  /** Files that a killed writer left half done. */
  readonly halves: readonly string[];
}

export function readRecords(): Records {
  return {
    entries: readEntries(),
    claims: allClaims(),
    servers: namesIn(DHCP_DIRECTORY).flatMap(name => /^(.*)\.(?:conf|pid)$/.exec(name)?.[1] ?? []),
    halves: [ATTACHMENTS_DIRECTORY, CLAIMS_DIRECTORY, DHCP_DIRECTORY].flatMap(directory =>
      namesIn(directory)
        .filter(name => name.endsWith('~'))
        .map(name => `${directory}/${name}`),
    ),
  };
}

/** The attachments alone, without those that can't be read. */
export const readAttachments = (): Attachment[] =>
  readEntries().flatMap(({ content }) => (typeof content === 'string' ? [] : content));

const readEntries = (): Entry[] => [...attachedDomains()].flatMap(readEntry);

/** The stamps alone. */
export const readStamps = (): Map<string, string> =>
  new Map(
    [...attachedDomains()].flatMap(domain => {
      const stamp = stampOf(domain);
      return stamp === undefined ? [] : [[domain, stamp] as const];
    }),
  );

function readEntry(domain: string): Entry[] {
  const stamp = stampOf(domain) ?? '';
  try {
    const content = readAttachment(domain);
    return content === undefined ? [] : [{ domain, stamp, content, isNewer: false }];
  } catch (error) {
    return [{ domain, stamp, content: reason(error), isNewer: error instanceof NewerRefusal }];
  }
}
