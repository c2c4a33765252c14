/** What a fault is about, and what a repair has done: by the key and the UUID the two are held against each other; pure. */
import type { Resource } from '../resources/resource.ts';

export interface Matter {
  /** The domain's name; null: the whole host, or a domain whose name isn't known. */
  readonly domain: string | null;
  readonly uuid: string | null;
  /** {@link Resource.key}, or what stands for it here. Never shown: two matters of one title are still two. */
  readonly key: string;
  /** What people call it. */
  readonly what: string;
}

/** Whose something is. */
export type About = Pick<Matter, 'domain' | 'uuid'>;

export const HOST: About = { domain: null, uuid: null };

export const aboutDomain = ({ name, uuid }: { readonly name: string; readonly uuid: string }): About => ({
  domain: name,
  uuid,
});

export const matterOf = (about: About, { key, label }: Resource): Matter => ({ ...about, key, what: label });

/** What a running domain has beside resources; what is left of one that has ended is its attachment. */
export const attachmentOf = (about: About, what = 'attachment'): Matter => ({
  ...about,
  key: 'attachment',
  what,
});
export const assignmentOfDomain = (about: About): Matter => ({
  ...about,
  key: 'assignment',
  what: 'assignment',
});
export const routesOf = (about: About): Matter => ({ ...about, key: 'routes of a move', what: 'route' });

/** Of the host, and of no resource that stands in a plan. */
export const ofHost = (kind: 'stray' | 'filter', what: string): Matter => ({
  ...HOST,
  key: `${kind} ${what}`,
  what,
});

export const isSameMatter = (a: Pick<Matter, 'uuid' | 'key'>, b: Pick<Matter, 'uuid' | 'key'>): boolean =>
  a.uuid === b.uuid && a.key === b.key;

/** How a repair says what it did, and what it couldn't do. What it did counts when a look at the host has shown it. */
export interface Report {
  /** `parts`: what must be in order as well, for the line to be true. */
  readonly done: (line: string, about: Matter, parts?: readonly Matter[]) => void;
  readonly failed: (line: string) => void;
}
