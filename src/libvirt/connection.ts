/** The description of a domain that a change goes to: the one it runs with, the one it starts from, or both. */
export type Affects = 'live' | 'config' | 'both';

/**
 * Whether a domain's processors run; `moving`: they stand still because it is between two hosts, `held`: because somebody has
 * paused it. `other`: it is beginning, say, or it has ended.
 */
export type Standing = 'running' | 'moving' | 'held' | 'other';

/** What hnet needs of libvirt. The hook must never use it: libvirt waits for the hook. Refusals have libvirt's words. */
export interface Connection {
  /** UUIDs of all domains. */
  readonly list: () => string[];
  /** The live XML of every running domain; one that ends meanwhile is left out. */
  readonly running: () => string[];
  /** What each running domain's next start is made from; that of a transient domain is what runs. */
  readonly definitions: () => string[];
  readonly xml: (uuid: string, inactive: boolean) => string;
  readonly isActive: (uuid: string) => boolean;
  /** `other` for a domain that libvirt doesn't know. */
  readonly standing: (uuid: string) => Standing;
  /** Whether libvirt is at something with a domain that takes long: a move from here, say. True where it can't be told. */
  readonly isBusy: (uuid: string) => boolean;
  readonly isPersistent: (uuid: string) => boolean;
  readonly hasManagedSave: (uuid: string) => boolean;
  /** Sets our metadata element; undefined removes it. */
  readonly setMetadata: (uuid: string, element: string | undefined, affects: Affects) => void;
  readonly updateDevice: (uuid: string, device: string, affects: Affects) => void;
  readonly attachDevice: (uuid: string, device: string, affects: Affects) => void;
  readonly close: () => void;
}

/** The prefix under which our element is stored; its namespace is what counts. */
export const METADATA_KEY = 'hnet';
