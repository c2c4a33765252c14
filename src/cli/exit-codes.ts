/** How a command ended, as docs/json.md promises it. */
export const EXIT = {
  done: 0,
  /** It couldn't be done. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** It looked, and found something that isn't as it should be. */
  found: 3,
} as const;
