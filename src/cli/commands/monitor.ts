import { domainsElsewhere } from '../../assign/elsewhere.ts';
import { memberOf } from '../../cluster/open.ts';
import { watchAll } from '../../cluster/presence.ts';
import { chooseFirewall } from '../../host/choose-backend.ts';
import type { Context } from '../../host/context.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import type { Source } from '../../host/source.ts';
import { withLibvirt } from '../../libvirt/libvirt.ts';
import { lineJson } from '../../model/json.ts';
import { ifPossible, Refusal, UsageRefusal } from '../../model/refusal.ts';
import { allFaults } from '../../repair/all-faults.ts';
import { type Ears, sourcesFor } from '../../repair/listening.ts';
import { listRunning } from '../../repair/listing.ts';
import { readPulse } from '../../repair/pulse.ts';
import { survey, withLibvirtsWord } from '../../repair/survey.ts';
import { Neighbourhood } from '../monitor/elsewhere.ts';
import { type Line, MONITOR_VERSION } from '../monitor/lines.ts';
import { type Eyes, Observer } from '../monitor/observer.ts';
import { drawn, EMPTY_SCREEN, screenText } from '../monitor/screen.ts';
import { findingsOf, sendForDoctor } from '../own-doctor.ts';
import { countersOf } from '../views/counters.ts';
import { domainsShown, othersThan } from '../views/domains.ts';
import { entryShown } from '../views/entry.ts';
import { clusterShown, outside, poolUses, versionsOf } from '../views/host.ts';

/** Prints the state of the host, then a line for each change, and counters again and again, for as long as it runs. */
export function monitor(options: { every: string }, fresh: () => Context): void {
  const every = secondsOf(options.every);
  const { stream, print } = fresh();
  const observer = new Observer(eyesOf(fresh), line => {
    stream({ version: MONITOR_VERSION, at: new Date().toISOString(), ...line });
    print(inWords(line));
  });
  untilEnded(observer);
  observer.start(every * 1000);
}

/** Whoever ends it ends its children too, also while it looks for the first time. */
function untilEnded(observer: Observer): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => {
      observer.stop();
      process.exit(0);
    });
}

/** Shows the same on the whole terminal, the busiest address first. */
export function top(options: { every: string }, fresh: () => Context): void {
  const every = secondsOf(options.every);
  const { stdin, stdout } = process;
  if (!stdout.isTTY || !stdin.isTTY)
    throw new Refusal(
      'Cannot show the screen: this is no terminal; hnet monitor prints the same line by line',
    );
  const { colour } = fresh();
  let screen = EMPTY_SCREEN;
  const paint = (): void => {
    const lines = screenText(screen, stdout, colour);
    stdout.write(`\u001b[H${lines.map(line => `${line}\u001b[K`).join('\n')}\u001b[J`);
  };
  const observer = new Observer(eyesOf(fresh), line => {
    screen = drawn(screen, line, Date.now());
    paint();
  });
  untilEnded(observer);
  onScreen(() => observer.stop());
  stdout.on('resize', paint);
  observer.start(every * 1000);
}

/** A raw terminal sends Ctrl-C as a character. */
const ENDING = ['q', '\u0003'];

/** Takes the terminal's other screen, where lines aren't wrapped, and gives it back however this ends. */
function onScreen(end: () => void): void {
  const { stdin, stdout } = process;
  stdout.write('\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J');
  process.on('exit', () => {
    stdin.setRawMode(false);
    stdout.write('\u001b[?7h\u001b[?25h\u001b[?1049l');
  });
  stdin.setRawMode(true);
  stdin.on('data', keys => {
    if (!ENDING.some(key => keys.includes(key))) return;
    end();
    process.exit(0);
  });
}

function secondsOf(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= 3600) return seconds;
  throw new UsageRefusal(
    `Cannot use --every ${JSON.stringify(text)}: it is a number of seconds from 1 to 3600`,
  );
}

/** Each look has a context, and so a deadline and a configuration, of its own. */
function eyesOf(fresh: () => Context): Eyes {
  const versions = versionsOf(fresh().host);
  const neighbourhood = new Neighbourhood();
  return {
    config: () => fresh().config(),
    state: () => stateOf(versions, neighbourhood, fresh()),
    counters: () => {
      const { addresses, domains, drops } = countersOf(
        withLibvirt(libvirt => libvirt.domains()),
        fresh(),
      );
      return { type: 'counters', addresses, domains, dropped: Object.fromEntries(drops) };
    },
    pulse: () => {
      const config = fresh().config();
      return readPulse(chooseFirewall(config), config);
    },
    entry: entryShown,
    examine: told => sendForDoctor(answer => told(findingsOf(answer))),
    sources: grounds => sourcesOf(fresh(), grounds),
  };
}

function stateOf(
  versions: object,
  neighbourhood: Neighbourhood,
  context: Context,
): ReturnType<Eyes['state']> {
  const { host, config } = context;
  const given = config();
  const all = withLibvirt(libvirt => libvirt.domains());
  const seen = readNetworkWithUplinks(host, given);
  const contents = neighbourhood.look(context);
  const domains = domainsShown(all, all, given, host);
  const listing = listRunning();
  const found = withLibvirtsWord(survey(listing, given, host), given);
  return {
    host: { versions, dhcp: given.dhcp.mode, ...outside(given, seen.uplinks), cluster: clusterShown(given) },
    domains,
    others: othersThan(domains, all),
    elsewhere: domainsElsewhere(contents, all, context),
    ...poolUses(given, all, seen, contents),
    faults: allFaults(listing, found, neighbourhood.apart(given, host)),
  };
}

/** What tells of changes of this host, and of what others of its cluster have. */
function sourcesOf({ host, config }: Context, grounds: Ears['grounds']): readonly Source[] {
  const cluster = ifPossible(() => memberOf(config(), host));
  return [...sourcesFor({ grounds }), ...(cluster === undefined ? [] : [{ argv: watchAll(cluster) }])];
}

/** A line for people: its kind, and what is told. */
function inWords(line: Line): string {
  const { type, ...rest } = line;
  return `${type} ${lineJson(rest)}`;
}
