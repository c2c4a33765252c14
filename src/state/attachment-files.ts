/** Reads the attachments in /run/hnet/attachments. */
import { existsSync, opendirSync, statSync } from 'node:fs';
import { readIfThere } from '../host/files.ts';
import { type Attachment, parseAttachment } from '../model/attachment.ts';
import { ATTACHMENTS_DIRECTORY, isUuid } from '../model/names.ts';
import { ifPossible, Refusal, reason } from '../model/refusal.ts';
import { NewerRefusal } from '../model/version.ts';

export const fileOf = (domain: string): string => `${ATTACHMENTS_DIRECTORY}/${domain}.json`;
export const scriptOf = (domain: string): string => `${ATTACHMENTS_DIRECTORY}/${domain}.sh`;

/**
 * The attachment of a domain, or undefined if it has none.
 * @throws Refusal if its file can't be read as an attachment (it is cut off, say), or is another domain's
 */
export function readAttachment(domain: string): Attachment | undefined {
  try {
    const text = readIfThere(fileOf(domain));
    if (text === undefined && stampOf(domain) === undefined) return undefined;
    const attachment = parseAttachment(text ?? '');
    if (attachment.domain === domain) return attachment;
    throw new Refusal(`it is of the domain with UUID ${attachment.domain}`);
  } catch (error) {
    const Kind = error instanceof NewerRefusal ? NewerRefusal : Refusal;
    throw new Kind(`Cannot read ${fileOf(domain)}: ${reason(error)}`);
  }
}

/** UUIDs of all domains that have an attachment, readable or not. They are read one by one: often the first is enough. */
export function* attachedDomains(): Generator<string> {
  const directory = existsSync(ATTACHMENTS_DIRECTORY) ? opendirSync(ATTACHMENTS_DIRECTORY) : undefined;
  try {
    for (let entry = directory?.readSync(); entry != null; entry = directory?.readSync()) {
      const [, domain = ''] = /^(.*)\.json$/.exec(entry.name) ?? [];
      if (isUuid(domain)) yield domain;
    }
  } finally {
    directory?.closeSync();
  }
}

/** Differs each time a domain's attachment is written, for the file is replaced; undefined if there is none. */
export function stampOf(domain: string): string | undefined {
  const status = ifPossible(() => statSync(fileOf(domain)));
  return status === undefined ? undefined : `${status.ino} ${status.mtimeMs}`;
}

/** When a domain's attachment was written last, in milliseconds since the epoch; undefined if there is none. */
export const writtenAt = (domain: string): number | undefined =>
  ifPossible(() => statSync(fileOf(domain)))?.mtimeMs;
