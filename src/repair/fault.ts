/** Something that isn't as it should be. */
export interface Fault {
  /** The domain it belongs to; null: the whole host. */
  readonly domain: string | null;
  readonly uuid: string | null;
  readonly what: string;
  readonly is: 'missing' | 'changed' | 'foreign' | 'left over' | 'cut off' | 'unknown';
  readonly why: string;
  /** The command that mends it, or looks closer; null: `why` says the way out, or hnet knows none. */
  readonly mend: string | null;
}
