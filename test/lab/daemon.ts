/** A program that a scenario disturbs, or several that are disturbed together. */
export interface Daemon {
  start(): Promise<void>;
  /** Asks it to leave, and waits until it has. */
  stop(): Promise<void>;
  /** It dies at once. What a systemd watches may be started anew, as on any host. */
  kill(): Promise<void>;
  /** It hangs: its connections stand, and nobody answers. */
  freeze(): Promise<void>;
  /** It goes on where it hung. */
  go(): Promise<void>;
}

/** Does the same to all of them at once. */
export function together(daemons: readonly Daemon[]): Daemon {
  const all = async (act: (daemon: Daemon) => Promise<void>): Promise<void> => {
    await Promise.all(daemons.map(act));
  };
  return {
    start: () => all(daemon => daemon.start()),
    stop: () => all(daemon => daemon.stop()),
    kill: () => all(daemon => daemon.kill()),
    freeze: () => all(daemon => daemon.freeze()),
    go: () => all(daemon => daemon.go()),
  };
}
