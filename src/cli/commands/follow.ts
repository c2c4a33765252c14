import type { Context } from '../../host/context.ts';
import { log } from '../../host/log.ts';
import { urgentForGood } from '../../host/priority.ts';
import { isUuid } from '../../model/names.ts';
import { ifPossible, quote, Refusal } from '../../model/refusal.ts';
import { sendFlows, takeFlows } from '../../moves/flow-transfer.ts';
import { Follower } from '../../moves/follower.ts';
import { readableAttachment } from '../../state/attachment-store.ts';

/** Of a configuration that can't be read, in seconds. */
const SETTLE = 30;

/** Hands the tracked flows of a domain to the host that it moves to, or takes them there. @param way `send` or `take` */
export function flows(way: string, uuid: string, { host, config }: Context): void {
  const { cluster } = config();
  const attachment = isUuid(uuid) ? readableAttachment(uuid) : undefined;
  if (cluster === undefined || attachment === undefined)
    throw new Refusal(
      `Cannot ${way} flows: this host has no cluster, or nothing is set up for ${quote(uuid)}`,
    );
  if (way === 'take') takeFlows(attachment, cluster, host, log);
  else log(`sent ${sendFlows(attachment, cluster, host)} flows of ${quote(attachment.name)}`);
}

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
