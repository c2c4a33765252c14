import { spawnSync } from 'node:child_process';
import { chooseFirewall } from '../../host/choose-backend.ts';
import type { Context } from '../../host/context.ts';
import { hasTool } from '../../host/tools.ts';
import { type Config, rangesOf } from '../../model/config.ts';
import { FAMILIES, type Prefix } from '../../model/prefix.ts';
import { Refusal, reason } from '../../model/refusal.ts';
import { Complaints } from '../../repair/complaints.ts';
import { Contests, Refrain } from '../../repair/contests.ts';
import { concerns } from '../../repair/events.ts';
import { converge, countTraffic } from '../../repair/loop.ts';
import { readPulse, Switches } from '../../repair/pulse.ts';
import { type Source, Sources } from '../../repair/source.ts';
import { tryOut } from '../../repair/trial.ts';
import { Writers } from '../../repair/writers.ts';
import { type Contest, writeContests } from '../../state/contests.ts';

/** Debounce, in milliseconds: check 150 after the first event, and at least 600 after the last check. */
const SETTLE = 150;
const REST = 600;
const PULSE = 1000;
const RESYNC = 5 * 60_000;

/**
 * Repairs as soon as something happens: events of libvirt, of the kernel's links, addresses, routes, rules and forwarding, of
 * packet filters; and every five minutes in any case. It keeps no state that matters: the hook alone does everything needed, and
 * what happened while this was stopped is found at its start.
 * @param fresh what a run gets: each has a deadline of its own
 */
export function watch(fresh: () => Context): void {
  const watcher = new Watcher(fresh);
  const sources = new Sources(() => watcher.soon());
  for (const source of present(watcher)) sources.start(source);
  process.on('SIGTERM', () => {
    sources.stop();
    process.exit(0);
  });
  watcher.resync();
  setInterval(() => watcher.resync(), RESYNC);
  setInterval(() => watcher.pulse(), PULSE);
  if (process.env['NOTIFY_SOCKET'] !== undefined)
    spawnSync('systemd-notify', ['--ready'], { env: process.env });
}

/** The sources of events on this host. */
function present(watcher: Watcher): Source[] {
  const sources: (Source & { readonly needs: string })[] = [
    {
      needs: 'virsh',
      argv: ['virsh', '-q', 'event', '--all', '--loop'],
      concerns: line => !NOISE.test(line),
    },
    {
      needs: 'ip',
      argv: ['ip', '-o', 'monitor', 'link', 'address', 'route', 'rule', 'netconf'],
      concerns: line => watcher.concerns(line),
    },
    { needs: 'nft', argv: ['nft', 'monitor'], concerns: line => watcher.concernsFilter(line) },
    {
      needs: 'firewalld',
      argv: [
        'busctl',
        '--match',
        "type='signal',interface='org.fedoraproject.FirewallD1',member='Reloaded'",
        'monitor',
      ],
    },
  ];
  return sources.filter(({ needs }) => hasTool(needs));
}

/** What domains have their addresses from, and what belongs to the host and its gateways. */
const rangesIn = (config: Config): Prefix[] => {
  const { uplinks, inForce } = config;
  const own = [
    ...uplinks.flatMap(({ addresses, gateways }) => [...addresses, ...gateways]),
    ...inForce.flatMap(({ host, gateway, gateway6 }) => [host, gateway, gateway6]),
  ];
  return [...FAMILIES.flatMap(family => rangesOf(family, config)), ...own.filter(one => one !== undefined)];
};

/** Events of libvirt that don't concern hnet. */
const NOISE =
  /^event '(rtc-change|watchdog|io-error|graphics|block-|balloon-change|tray-change|memory-|job-completed)/;

class Watcher {
  readonly #fresh: () => Context;
  #timer: NodeJS.Timeout | undefined;
  #rested = 0;
  #waiting: NodeJS.Timeout | undefined;
  #lastPulse: string | undefined;
  readonly #switches = new Switches();
  readonly #contests = new Contests();
  readonly #refrain = new Refrain();
  readonly #writers = new Writers();
  /** Of each kind of work: what it can't do would be told again each time. */
  readonly #complaints = { count: new Complaints(), pulse: new Complaints(), look: new Complaints() };
  /** Where domains have their addresses from; undefined before the configuration was read. */
  #ranges: readonly Prefix[] | undefined;

  constructor(fresh: () => Context) {
    this.#fresh = fresh;
  }

  concerns(line: string): boolean {
    return this.#ranges === undefined || concerns(line, this.#ranges);
  }

  /** A change of a filter is told line by line, and at its end who has made it. */
  concernsFilter(line: string): boolean {
    this.#writers.note(line);
    return !line.startsWith('# ');
  }

  /** Something happened. */
  soon(): void {
    this.#timer ??= setTimeout(() => this.#look(), Math.max(SETTLE, this.#rested - Date.now()));
  }

  resync(): void {
    this.#run(countTraffic, this.#complaints.count);
    this.soon();
  }

  pulse(): void {
    this.#run(context => {
      const now = readPulse(chooseFirewall(context.config()));
      if (now !== (this.#lastPulse ?? now) || this.#switches.haveChanged()) this.soon();
      this.#lastPulse = now;
    }, this.#complaints.pulse);
  }

  #look(): void {
    // What happens from here on calls for another look.
    this.#timer = undefined;
    this.#run(context => {
      this.#ranges = rangesIn(context.config());
      const print = (line: string): void => {
        const said = this.#refrain.of(line);
        if (said !== undefined) context.print(said);
      };
      tryOut({ ...context, print }, one => converge(one, this.#contests), false);
      this.#tellContests();
    }, this.#complaints.look);
    this.#rested = Date.now() + REST;
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
