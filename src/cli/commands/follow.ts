import type { Context } from '../../host/context.ts';
import { urgentForGood } from '../../host/priority.ts';
import { ifPossible } from '../../model/refusal.ts';
import { Follower } from '../../moves/follower.ts';

/** Of a configuration that can't be read, in seconds. */
const SETTLE = 30;

/** Turns the routes of domains that move between hosts, for as long as it runs. @param fresh reads the configuration anew */
export function follow(fresh: () => Context): void {
  urgentForGood();
  const { print } = fresh();
  const follower = new Follower({
    settle: () => ifPossible(() => fresh().config().cluster?.settle) ?? SETTLE,
    // The daemon reads standard output.
    say: print,
  });
  process.on('SIGTERM', () => {
    follower.stop();
    process.exit(0);
  });
  follower.start();
}
