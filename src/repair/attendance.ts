/**
 * Keeps etcd right about this host: its record, its peers, its runs. It is a process of its own: while etcd is silent a question takes
 * seconds, and neither a repair nor a domain that moves may wait for it.
 */
import type { ChildProcess } from 'node:child_process';
import { readEvents } from '../cluster/answer.ts';
import { noteBooks } from '../cluster/books.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type Contents, look } from '../cluster/contents.ts';
import { letGo } from '../cluster/held.ts';
import { hostsOf, runIn } from '../cluster/keys.ts';
import { newStart } from '../cluster/new-start.ts';
import { memberOf } from '../cluster/open.ts';
import { notePeers } from '../cluster/peers.ts';
import { grantLease, keepAlive, putRecord, watchAll } from '../cluster/presence.ts';
import { type About, ownRecord } from '../cluster/record.ts';
import { adoptPlaces, forgetPlaces, type Here, settleRuns, type Twin } from '../cluster/upkeep.ts';
import { hostIn, type Named, peerValue } from '../cluster/values.ts';
import type { Context } from '../host/context.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { outlived } from '../host/outlived.ts';
import { Sources } from '../host/source.ts';
import { withLibvirt } from '../libvirt/libvirt.ts';
import type { Attachment } from '../model/attachment.ts';
import { isHere } from '../model/move.ts';
import { ifPossible, quote, Refusal, reason } from '../model/refusal.ts';
import { attachedDomains, writtenAt } from '../state/attachment-files.ts';
import { forgetExpected, isExpected } from '../state/incoming-marker.ts';
import { readAttachments, readStamps } from '../state/records.ts';

/** How often to look at this host's own files, at etcd in any case, and at an etcd that is silent; in milliseconds. */
const BEAT = 500;
const ROUND = 60_000;
const AGAIN = 5_000;
/** How long the destination has to note that a domain has arrived, in milliseconds. */
const LEFT = 60_000;

export class Attendance {
  readonly #fresh: () => Context;
  readonly #about: () => About;
  #lease: ChildProcess | undefined;
  #watch: Sources | undefined;
  #record = '';
  #stamps = '';
  #next = 0;
  #silent: string | null = null;
  #answered: string | null = null;
  #twins: readonly Twin[] = [];
  /** Domains that have left, and since when. */
  readonly #left = new Map<string, number>();

  /** @param about what this host can't find out about itself */
  constructor(fresh: () => Context, about: () => About) {
    this.#fresh = fresh;
    this.#about = about;
  }

  start(): void {
    setInterval(() => this.#beat(), BEAT);
  }

  stop(): void {
    this.#lease?.kill('SIGKILL');
    this.#lease = undefined;
    this.#watch?.stop();
    this.#watch = undefined;
  }

  #beat(): void {
    const context = this.#fresh();
    try {
      const cluster = memberOf(context.config(), context.host);
      if (cluster === undefined) {
        this.stop();
        return;
      }
      if (Date.now() < this.#next && (stampsNow() === this.#stamps || this.#silent !== null)) return;
      this.#round(cluster, context);
      this.#next = Date.now() + ROUND;
      if (this.#silent !== null) context.print('etcd answers again');
      this.#note(null);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#next = Date.now() + AGAIN;
      if (this.#silent === null) context.warn(reason(error));
      this.#note(reason(error));
    }
  }

  #note(silent: string | null): void {
    if (silent === null) this.#answered = new Date().toISOString();
    const twins = this.#twins.map(({ uuid, name, host, is }) => ({ uuid, name, host, is }));
    noteBooks({ answered: this.#answered, silent, twins });
    this.#silent = silent;
  }

  /** Everything that concerns this host, with one look at what etcd holds. */
  #round(cluster: Cluster, context: Context): void {
    this.#attend(cluster, context);
    const seen = look(cluster);
    this.#meet(seen, context);
    const { here, stamps } = lookHere(context.host);
    // Read with what is here, so that a domain that ends during this round starts another one.
    this.#stamps = stamps;
    const { noted, ended, twins } = settleRuns(cluster, seen, here, newStart(), (uuid, to) =>
      this.#isOver(uuid, seen.hosts.has(to)),
    );
    for (const { name } of noted) context.print(`noted in the cluster: ${quote(name)} runs here`);
    for (const uuid of this.#left.keys())
      if (ended.includes(uuid) || seen.runs.get(uuid)?.host !== cluster.self) this.#left.delete(uuid);
    for (const { uuid, name, host, is } of twins)
      if (!this.#twins.some(one => one.uuid === uuid))
        context.warn(
          `${quote(name)} ${is === 'running' ? 'runs here' : 'is still here, paused'}, and runs on ${host} by etcd's word`,
        );
    this.#twins = twins;
    const defined = new Set(withLibvirt(({ connection }) => connection.list()));
    forgetPlaces(cluster, seen, uuid => defined.has(uuid));
    adoptPlaces(cluster, seen, uuid => defined.has(uuid));
  }

  /**
   * Whether a domain that left here didn't arrive. A destination that is up would have noted its arrival. If it is down, the domain
   * may still run there.
   */
  #isOver(uuid: string, isUp: boolean): boolean {
    if (!isUp) return false;
    const since = this.#left.get(uuid) ?? Date.now();
    this.#left.set(uuid, since);
    return Date.now() - since >= LEFT;
  }

  /** Writes this host's record, with a lease that a process of etcdctl keeps. */
  #attend(cluster: Cluster, { config, host }: Context): void {
    const { settings } = cluster;
    const record = ownRecord(config(), settings, this.#about(), host);
    const text = JSON.stringify(peerValue(record));
    if (this.#lease !== undefined && text === this.#record) return;
    this.#lease?.kill('SIGKILL');
    const lease = grantLease(settings.etcd, host);
    putRecord(cluster, record, lease);
    this.#record = text;
    const child = outlived(keepAlive(settings.etcd, lease), { stdio: 'ignore' });
    child.on('close', () => {
      if (this.#lease !== child) return;
      this.#lease = undefined;
      this.#next = 0;
    });
    this.#lease = child;
    if (this.#watch !== undefined) return;
    this.#watch = new Sources(line => this.#told(line, cluster));
    this.#watch.start({ argv: watchAll(cluster) });
  }

  /** A domain that another host has started is that host's from then on. */
  #told(line: string, { settings, self }: Cluster): void {
    for (const { key, value } of ifPossible(() => readEvents(line)) ?? []) {
      if (key.startsWith(hostsOf(settings))) this.#next = 0;
      const uuid = runIn(settings, key);
      // One of the two may have ended.
      if (this.#twins.some(one => one.uuid === uuid)) this.#next = 0;
      if (uuid === undefined || value === '') continue;
      // A domain may have ended again before this host's files were looked at.
      if (hostIn(value) === self) this.#next = 0;
      else letGo(uuid);
    }
  }

  /** Notes the peers. The daemon reads what this prints, and then checks what domains need for other hosts. */
  #meet({ hosts }: Contents, { print }: Context): void {
    const names = [...hosts.keys()].sort().join(', ');
    if (notePeers(hosts.values(), new Date())) print(`hosts of the cluster that are up: ${names}`);
  }
}

/** It changes with whatever is here. */
const stampsNow = (): string => [...readStamps()].join('\n');

/** What is here. The lock waits for starts: each has written its attachment by then, or will write a newer run. */
function lookHere(host: Host): { readonly here: Here; readonly stamps: string } {
  return withLock('sync', 'exclusive', host, () => {
    forgetExpected();
    const all = readAttachments();
    const own = new Set(attachedDomains());
    const named = ({ domain, name }: Attachment): Named => ({ uuid: domain, name });
    const isOld = ({ domain }: Attachment): boolean => Date.now() - (writtenAt(domain) ?? Date.now()) >= LEFT;
    const here: Here = {
      running: all.filter(({ state }) => isHere(state)).map(named),
      left: all.filter(one => one.state === 'leaving' && isOld(one)).map(named),
      isHere: uuid => own.has(uuid) || isExpected(uuid),
      isMoved: uuid => withLibvirt(({ connection }) => connection.isBusy(uuid)),
    };
    return { here, stamps: stampsNow() };
  });
}
