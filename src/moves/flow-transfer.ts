/**
 * Hands the tracked flows of a domain with rules to the host that it moves to. Without them the new host would take a connection
 * that the domain has opened for a new one, and refuse it. They go through etcd, the only thing that the hosts share and trust: a
 * port of our own would need keys of its own. etcd keeps them for some seconds.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Cluster } from '../cluster/cluster.ts';
import { etcdctl } from '../cluster/etcdctl.ts';
import { flowKey } from '../cluster/keys.ts';
import { grantLease } from '../cluster/presence.ts';
import { addFlows, dropFlows, flowsOf } from '../host/flows.ts';
import type { Host } from '../host/host.ts';
import { Sources } from '../host/source.ts';
import type { Attachment } from '../model/attachment.ts';
import { publicOf } from '../model/bridge.ts';
import type { Prefix } from '../model/prefix.ts';
import { ifPossible, Refusal, reason } from '../model/refusal.ts';
import { readableAttachment } from '../state/attachment-store.ts';
import { flowsAmong, opposed } from './flow-text.ts';

/** So much is put into etcd for one domain, in bytes; it takes 1.5 MB. That is some 10,000 flows. */
const LARGEST = 512 << 10;
/** How often to check that the domain is still expected, and how long to go on after it has come; in milliseconds. */
const [PULSE, AFTER] = [1_000, 3_000];
/** When the watch is surely active, in milliseconds: what was written before is read then. */
const LISTENING = 500;

/**
 * @returns how many there were
 * @throws Refusal if etcd doesn't take them: then the connections break with the move
 */
export function sendFlows(
  { addresses, domain }: Attachment,
  { settings, etcd }: Cluster,
  host: Host,
): number {
  const own = publicOf(addresses);
  const flows = flowsAmong(flowsOf(own, host), own);
  if (flows.length === 0) return 0;
  const { text, count } = packed(flows);
  const lease = grantLease(settings.etcd, host);
  etcd.transact({
    compare: [],
    success: [{ put: flowKey(settings, domain), value: text, lease }],
    failure: [],
  });
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
  const most = { maxOutputLength: 64 << 20 };
  const lines = ifPossible(() => gunzipSync(Buffer.from(text, 'base64'), most).toString());
  return flowsAmong(lines?.split('\n') ?? [], own);
}

/** Takes the flows of a domain that is about to come, whenever there are new ones, until it has come. */
export class FlowTaker {
  readonly #attachment: Attachment;
  readonly #cluster: Cluster;
  readonly #host: Host;
  readonly #say: (line: string) => void;
  readonly #watch = new Sources(() => this.#take());
  #taken = '';

  /** @param say told how many it took, and why it couldn't */
  constructor(attachment: Attachment, cluster: Cluster, host: Host, say: (line: string) => void) {
    this.#attachment = attachment;
    this.#cluster = cluster;
    this.#host = host;
    this.#say = say;
  }

  start(): void {
    const { settings } = this.#cluster;
    this.#watch.start({ argv: [...etcdctl(settings.etcd), 'watch', this.#key] });
    setTimeout(() => this.#take(), LISTENING);
    const pulse = setInterval(() => {
      if (readableAttachment(this.#attachment.domain)?.state === 'incoming') return;
      clearInterval(pulse);
      setTimeout(() => this.#watch.stop(), AFTER);
    }, PULSE);
  }

  get #key(): string {
    return flowKey(this.#cluster.settings, this.#attachment.domain);
  }

  #take(): void {
    try {
      const text = this.#cluster.etcd.read(this.#key).entries.get(this.#key)?.value ?? '';
      if (text === this.#taken) return;
      this.#taken = text;
      const own = publicOf(this.#attachment.addresses);
      const flows = unpacked(text, own);
      dropFlows(opposed(flowsOf(own, this.#host), flows), this.#host);
      addFlows(flows, this.#host);
      if (flows.length > 0) this.#say(`took over ${flows.length} flows of "${this.#attachment.name}"`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#say(reason(error));
    }
  }
}
