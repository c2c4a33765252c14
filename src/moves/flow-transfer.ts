/**
 * Hands the flows of a domain with rules to the host that it moves to: without them a connection that the domain has opened
 * would be taken for a new one there, and refused. They go by etcd, for the hosts share nothing else that is trusted: a port of
 * our own would need keys of its own. etcd keeps them for a minute.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { etcdctl } from '../cluster/etcdctl.ts';
import { flowKey } from '../cluster/keys.ts';
import { addFlows, flowsOf } from '../host/flows.ts';
import type { Host } from '../host/host.ts';
import { Sources } from '../host/source.ts';
import type { Attachment } from '../model/attachment.ts';
import { publicOf } from '../model/bridge.ts';
import type { ClusterSettings } from '../model/config.ts';
import type { Prefix } from '../model/prefix.ts';
import { ifPossible, reason } from '../model/refusal.ts';
import { readableAttachment } from '../state/attachment-store.ts';
import { flowsAmong } from './flow-text.ts';

/** For how long etcd keeps them, in seconds. */
const KEPT = 60;
/** So much is put into etcd for one domain, in bytes; it takes 1.5 MB. That is some 10,000 flows. */
const LARGEST = 512 << 10;
/** How long one call of etcd's may take, in milliseconds. */
const LIMIT = 2_000;
/** How often it is looked whether the domain is still to come, and when etcd surely listens, in milliseconds. */
const [PULSE, LISTENING] = [1_000, 500];

/** @throws CommandFailure where etcd doesn't take them: then they die with the move */
export function sendFlows(attachment: Attachment, cluster: ClusterSettings, host: Host): number {
  const own = publicOf(attachment.addresses);
  const flows = flowsAmong(flowsOf(own, host), own);
  if (flows.length === 0) return 0;
  const base = etcdctl(cluster.etcd);
  const lease = BigInt(
    /"ID":(\d+)/.exec(host.run([...base, 'lease', 'grant', String(KEPT)], '', LIMIT))?.[1] ?? 0,
  );
  const { text, count } = packed(flows);
  host.run(
    [...base, 'put', `--lease=${lease.toString(16)}`, flowKey(cluster, attachment.domain)],
    text,
    LIMIT,
  );
  return count;
}

/** As many as there is room for. */
function packed(flows: readonly string[]): { text: string; count: number } {
  const text = gzipSync(flows.join('\n')).toString('base64');
  if (text.length <= LARGEST) return { text, count: flows.length };
  return packed(flows.slice(0, Math.floor((flows.length * LARGEST) / text.length) - 1));
}

/** The flows in a text that another host has put into etcd; none where it isn't one. */
function unpacked(text: string, own: readonly Prefix[]): string[] {
  const lines = ifPossible(() =>
    gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: 64 << 20 }).toString(),
  );
  return flowsAmong(lines?.split('\n') ?? [], own);
}

/**
 * Takes the flows of a domain that is about to come, whenever there are new ones, until it has come, and for a while after.
 * @param said told how many it took, and why it couldn't
 */
export function takeFlows(
  attachment: Attachment,
  cluster: ClusterSettings,
  host: Host,
  said: (line: string) => void,
): void {
  const own = publicOf(attachment.addresses);
  const key = flowKey(cluster, attachment.domain);
  const take = (text: string): void => {
    try {
      const flows = unpacked(text, own);
      addFlows(flows, host);
      if (flows.length > 0) said(`took over ${flows.length} flows of "${attachment.name}"`);
    } catch (error) {
      said(reason(error));
    }
  };
  let isValue = false;
  const [command = '', ...words] = etcdctl(cluster.etcd).filter(
    word => !word.startsWith('--write-out') && word !== '--debug',
  );
  const watch = new Sources(line => {
    // A put is three lines: PUT, the key, the value.
    if (isValue) take(line);
    isValue = line === key;
  });
  watch.start({ argv: [command, ...words, 'watch', key] });
  setTimeout(
    () => take(host.output([command, ...words, 'get', '--print-value-only', key]).trim()),
    LISTENING,
  );
  let left = KEPT;
  setInterval(() => {
    if (readableAttachment(attachment.domain)?.state !== 'incoming') left = Math.min(left, 3) - 1;
    if (left > 0) return;
    watch.stop();
    process.exit(0);
  }, PULSE);
}
