import { spawnSync } from 'node:child_process';
import { chooseFirewall } from '../../host/choose-backend.ts';
import type { Context } from '../../host/context.ts';
import { Debounce } from '../../host/debounce.ts';
import { ownProgram } from '../../host/host.ts';
import { Sources } from '../../host/source.ts';
import { Refusal, reason } from '../../model/refusal.ts';
import type { Checked } from '../../plan/walker.ts';
import { Complaints } from '../../repair/complaints.ts';
import { Contests, Refrain } from '../../repair/contests.ts';
import { countTraffic } from '../../repair/count-traffic.ts';
import type { Grounds } from '../../repair/events.ts';
import { groundsIn, sourcesFor } from '../../repair/listening.ts';
import { converge } from '../../repair/loop.ts';
import type { Matter } from '../../repair/matter.ts';
import { NOTED_WITHIN, Unnoted } from '../../repair/notice.ts';
import { readPulse, Switches } from '../../repair/pulse.ts';
import { Teller } from '../../repair/teller.ts';
import { tryOut } from '../../repair/trial.ts';
import { Writers } from '../../repair/writers.ts';
import { type Contest, writeContests } from '../../state/contests.ts';
import { note } from '../../state/journal.ts';
import { forgetOld } from '../../state/retention.ts';

/** Debounce, in milliseconds: check 150 after the first event, and at least 600 after the last check. */
const SETTLE = 150;
const REST = 600;
const PULSE = 1000;
const RESYNC = 5 * 60_000;

/**
 * The service hnet-watch. Repairs as soon as something happens: events of libvirt, of the kernel's links, addresses, routes, rules and forwarding, of
 * packet filters; and every five minutes in any case. It keeps no state that matters: the hook alone does everything needed, and
 * what happened while this was stopped is found at its start.
 * @param fresh what a run gets: each has a deadline of its own
 */
export function daemon(fresh: () => Context): void {
  const watcher = new Daemon(fresh);
  const sources = new Sources(() => watcher.soon());
  for (const source of sourcesFor(watcher)) sources.start(source);
  process.on('SIGTERM', () => {
    sources.stop();
    watcher.stop();
    process.exit(0);
  });
  watcher.resync();
  setInterval(() => watcher.resync(), RESYNC);
  setInterval(() => watcher.pulse(), PULSE);
  if (process.env['NOTIFY_SOCKET'] !== undefined)
    spawnSync('systemd-notify', ['--ready'], { env: process.env });
}

class Daemon {
  readonly #fresh: () => Context;
  readonly #looking = new Debounce(() => this.#look(), SETTLE);
  #waiting: NodeJS.Timeout | undefined;
  #lastPulse: string | undefined;
  readonly #switches = new Switches();
  readonly #contests = new Contests();
  readonly #refrain = new Refrain();
  readonly #writers = new Writers();
  /** Of each kind of work: what it can't do would be told again each time. */
  readonly #complaints = {
    count: new Complaints(),
    pulse: new Complaints(),
    look: new Complaints(),
    notice: new Complaints(),
    tell: new Complaints(),
  };
  readonly #unnoted = new Unnoted();
  readonly #teller: Teller;
  /** Follows domains between hosts; undefined where this host is alone. */
  #follower: Sources | undefined;
  /** Keeps this host in the cluster's books. */
  #attendance: Sources | undefined;
  /** Where domains have their addresses from; undefined before the configuration was read. */
  #grounds: Grounds | undefined;

  constructor(fresh: () => Context) {
    this.#fresh = fresh;
    this.#teller = new Teller(fresh());
  }

  grounds = (): Grounds | undefined => this.#grounds;

  filter = (line: string): void => this.#writers.note(line);

  stop(): void {
    this.#teller.stop();
    this.#follower?.stop();
    this.#attendance?.stop();
  }

  /** Something happened. */
  soon(): void {
    this.#looking.soon();
  }

  resync(): void {
    this.#run(countTraffic, this.#complaints.count);
    this.#run(({ config }) => forgetOld(config().history.months), this.#complaints.count);
    this.#notice();
    this.soon();
  }

  /** What nobody has noted in the journal is noted after a second look. */
  #notice(): void {
    this.#run(({ host, warn }) => {
      if (this.#unnoted.look(host, warn)) setTimeout(() => this.#notice(), NOTED_WITHIN);
    }, this.#complaints.notice);
  }

  pulse(): void {
    this.#run(context => {
      const config = context.config();
      const now = readPulse(chooseFirewall(config), config);
      if (now !== (this.#lastPulse ?? now) || this.#switches.haveChanged()) this.soon();
      this.#lastPulse = now;
    }, this.#complaints.pulse);
    this.#run(({ warn }) => this.#teller.look().forEach(warn), this.#complaints.tell);
  }

  #look(): void {
    this.#run(context => {
      this.#grounds = groundsIn(context.config());
      this.#follow(context);
      const said = (line: string, about: Matter): void => this.#say(line, about, context);
      const patience = {
        waits: (one: Checked) => this.#contests.waits(one),
        mended: (base: readonly Checked[]) => this.#contests.mended(base),
        said,
      };
      tryOut(context, one => converge(one, patience).isGood, false);
      this.#tellContests();
    }, this.#complaints.look);
    this.#looking.rest(REST);
  }

  /** The follower ends with this process, and is started anew where it dies. */
  #follow({ config, print }: Context): void {
    const isNeeded = config().cluster !== undefined;
    if (isNeeded === (this.#follower !== undefined)) return;
    this.#follower?.stop();
    this.#follower = isNeeded ? new Sources(print) : undefined;
    this.#follower?.start({ argv: ownProgram(['hnet', 'follow']) });
    this.#attendance?.stop();
    this.#attendance = isNeeded ? new Sources(line => this.#attended(line, print)) : undefined;
    this.#attendance?.start({ argv: ownProgram(['hnet', 'attend']) });
  }

  /** What domains need may have changed with the hosts that are known. */
  #attended(line: string, print: Context['print']): void {
    print(line);
    this.soon();
  }

  /** What it has done is said to the log, and to whoever reads the journal. */
  #say(line: string, { domain }: Matter, { print, warn }: Context): void {
    const what = this.#refrain.of(line);
    if (what === undefined) return;
    print(what);
    const failure = note([{ is: 'repaired', what, domain }]);
    if (failure !== undefined) warn(failure);
  }

  /** What waits is looked at again in time, and the operator may ask who is at it. */
  #tellContests(): void {
    const { next, open } = this.#contests;
    clearTimeout(this.#waiting);
    if (next !== undefined) this.#waiting = setTimeout(() => this.soon(), next);
    const by = this.#writers.last;
    writeContests(open.map((one): Contest => (by === undefined ? one : { ...one, by })));
  }

  /** What can't be done now may be possible after the next event. */
  #run(work: (context: Context) => void, complaints: Complaints): void {
    const context = this.#fresh();
    const lines: string[] = [];
    try {
      work({ ...context, warn: line => void lines.push(line) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      lines.push(reason(error));
    }
    for (const line of complaints.news(lines, Date.now())) context.warn(line);
    // A repair that failed is no failure of the service.
    process.exitCode = 0;
  }
}
