/** The words that may come at a place of the command line, for completion. */

/** What `hnet complete` knows: it looks at this host. */
export const KINDS = [
  'domains',
  'holders',
  'free',
  'held',
  'assigned',
  'known',
  'macs',
  'rule',
  'forwards',
] as const;
export type Kind = (typeof KINDS)[number];

/** Fixed ones (none where nobody can know them), those that hnet is asked for, or files. */
export type Words = readonly string[] | { readonly ask: Kind } | 'files';
