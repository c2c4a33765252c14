import { clusterOf } from '../../cluster/open.ts';
import { knownPeers } from '../../cluster/peers.ts';
import { ownName } from '../../cluster/self.ts';
import type { Context } from '../../host/context.ts';
import { log } from '../../host/log.ts';
import { urgentForGood } from '../../host/priority.ts';
import type { Config } from '../../model/config.ts';
import { isUuid } from '../../model/names.ts';
import { ifPossible, quote, Refusal } from '../../model/refusal.ts';
import { FlowTaker, sendFlows } from '../../moves/flow-transfer.ts';
import { Follower } from '../../moves/follower.ts';
import { Outside, type Telling } from '../../moves/outside.ts';
import { Roster } from '../../moves/roster.ts';
import { readableAttachment } from '../../state/attachment-store.ts';

/** Of a configuration that can't be read, in seconds. */
const SETTLE = 30;
/** How often it looks whether the world outside is to be told something, which takes it a minute; in milliseconds. */
const OUTSIDE = 2_000;

/** Hands the tracked flows of a domain to the host that it moves to, or takes them there. @param way `send` or `take` */
export function flows(way: string, uuid: string, { host, config }: Context): void {
  const cluster = clusterOf(config(), host);
  const attachment = isUuid(uuid) ? readableAttachment(uuid) : undefined;
  if (cluster === undefined || attachment === undefined)
    throw new Refusal(
      `Cannot ${way} flows: this host has no cluster, or nothing is set up for ${quote(uuid)}`,
    );
  if (way === 'take') new FlowTaker(attachment, cluster, host, log).start();
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
  const outside = new Outside(print);
  const roster = new Roster();
  setInterval(() => {
    const telling = ifPossible(() => tellingOf(fresh().config()));
    if (telling !== undefined) outside.look(roster.all(), telling);
  }, OUTSIDE);
  process.on('SIGTERM', () => {
    outside.stop();
    follower.stop();
    process.exit(0);
  });
  follower.start();
}

/** What the world outside is told; undefined where it finds out by itself. */
const tellingOf = ({ cluster, pools }: Config): Telling | undefined =>
  cluster?.announce === 'command'
    ? {
        command: cluster.command,
        pools,
        host: ownName(cluster),
        up: knownPeers(cluster).flatMap(({ host, isUp }) => (isUp ? [host] : [])),
      }
    : undefined;
