/**
 * The process that follows domains between hosts. It has a process of its own, so that nothing slow delays it: its work takes
 * some ten milliseconds, and while it is late a domain gets no packets.
 */
import { Host, ownProgram } from '../host/host.ts';
import { launch } from '../host/launch.ts';
import { Sources } from '../host/source.ts';
import { keepScript } from '../lifecycle/release-script.ts';
import type { Attachment } from '../model/attachment.ts';
import { attachmentTitle } from '../model/attachment.ts';
import { isTracked } from '../model/policy.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import { writtenAt } from '../state/attachment-files.ts';
import { type Afterwards, turnAll } from './catch-up.ts';
import { countSoon } from './count.ts';
import { type Due, dueBy, type LifeEvent, lifeEvent, movingAway, type Turn } from './due.ts';
import { dueOf } from './due-here.ts';
import { Hands } from './hands.ts';
import { Roster } from './roster.ts';
import { rehearse, turn } from './turn.ts';

/** What the follower is told, and whom it tells. */
interface Ways {
  /** For how long a domain counts as just arrived, in seconds; the configuration may change meanwhile. */
  readonly settle: () => number;
  readonly say: (line: string) => void;
}

/** libvirt's events, a line each; it writes them at once. */
const EVENTS = ['virsh', '-q', '-c', 'qemu:///system', 'event', '--all', '--loop'];
/** When it looks for events that it missed after it started virsh, in milliseconds: virsh doesn't say when it listens. */
const LOOKS = [300, 1_000, 3_000];
/** How often it checks domains on their way, even without an event; in milliseconds. */
const RESYNC = 30_000;
/**
 * When it checks that an attachment still says what it wrote, in milliseconds: another process may have read it before, and
 * written it back afterwards. The daemon repairs the routes.
 */
const GUARDS = [100, 500, 2_000];
/** How long it waits for the lock at most, and how long until it tries again; in milliseconds. */
const [PATIENCE, AGAIN] = [300, 1_000];
/** When the counters of a domain that has left are read, in milliseconds: BIRD needs the processors first. */
const COUNTS = 50;

const WORDS: Readonly<Record<Turn, string>> = {
  incoming: 'comes',
  leaving: 'leaves',
  arrived: 'has arrived',
  here: 'is here',
};

export class Follower {
  readonly #ways: Ways;
  readonly #roster = new Roster();
  readonly #hands = new Hands(why => this.#ways.say(why));
  /** Timers for the next look at domains that have just arrived, by their UUIDs. */
  readonly #later = new Map<string, NodeJS.Timeout>();
  readonly #sources = new Sources(line => this.#told(line));
  readonly #afterwards: Afterwards = {
    turned: ({ attachment }) => keepScript(attachment),
    warn: why => this.#ways.say(why),
    failed: (name, why) => this.#ways.say(`${quote(name)}: ${why}`),
  };

  constructor(ways: Ways) {
    this.#ways = ways;
  }

  start(): void {
    this.#sources.start({ argv: EVENTS });
    this.#lookOften();
    setInterval(() => this.#look(this.#roster.all().filter(({ state }) => state !== undefined)), RESYNC);
  }

  stop(): void {
    this.#sources.stop();
    this.#hands.stop();
  }

  #told(line: string): void {
    const event = lifeEvent(line);
    if (event !== undefined) this.#live(event);
    else if (!line.startsWith('event ')) this.#lookOften();
    else for (const one of this.#roster.named(movingAway(line) ?? '')) this.#ready(one, 'send');
  }

  #live(event: LifeEvent): void {
    for (const attachment of this.#roster.named(event.domain)) {
      const due = dueBy(event, attachment.state);
      if (due !== undefined) this.#turn({ attachment, turn: due });
      if (event.what === 'Started Migrated') this.#ready(attachment, 'take');
    }
  }

  /** The copy has begun. */
  #ready(attachment: Attachment, way: 'send' | 'take'): void {
    rehearse(attachment);
    this.#transfer(attachment, way);
  }

  /** Of a domain with rules the other host must know what it has opened. The others' flows nobody tracks. */
  #transfer({ domain, policy }: Attachment, way: 'send' | 'take'): void {
    if (isTracked(policy)) launch(ownProgram(['hnet', 'flows', way, domain]));
  }

  #lookOften(): void {
    for (const after of LOOKS) setTimeout(() => this.#look(this.#roster.all()), after);
  }

  /** What is due by libvirt's own word. Of those that have just arrived it is looked again in time. */
  #look(attachments: readonly Attachment[]): void {
    this.#attempt(() => {
      for (const due of dueOf(attachments, this.#ways.settle()))
        if (due.turn !== 'here') this.#turn(due);
        else
          for (const one of turnAll([due], new Host({ limit: PATIENCE }), this.#afterwards)) this.#tell(one);
    });
    for (const { domain, state } of attachments) if (state === 'arrived') this.#lookLater(domain);
  }

  #lookLater(uuid: string): void {
    const since = Date.now() - (writtenAt(uuid) ?? 0);
    const open = Math.max(this.#ways.settle() * 1000 - since, AGAIN);
    clearTimeout(this.#later.get(uuid));
    const timer = setTimeout(() => {
      this.#later.delete(uuid);
      const attachment = this.#roster.of(uuid);
      if (attachment?.state === 'arrived') this.#look([attachment]);
    }, open);
    this.#later.set(uuid, timer);
  }

  #turn(due: Due): void {
    const { domain } = due.attachment;
    const isTurned = this.#attempt(() => turn(due.attachment, due.turn, this.#hands, this.#ways.say));
    this.#hands.done().then(isDone => isTurned && isDone && this.#tell(due));
    if (due.turn === 'leaving') setTimeout(() => this.#count(due.attachment), COUNTS);
    for (const after of GUARDS) setTimeout(() => this.#guard(domain, due.turn), after);
    if (due.turn === 'arrived') this.#lookLater(domain);
    // Those that were opened while it was copied.
    if (due.turn === 'leaving') this.#transfer(due.attachment, 'send');
  }

  #count(attachment: Attachment): void {
    countSoon(attachment).catch(error => this.#ways.say(reason(error)));
  }

  /** libvirt is asked only where it is needed: it may be waiting for a hook. */
  #guard(uuid: string, wanted: Turn): void {
    const attachment = this.#roster.of(uuid);
    if (attachment !== undefined && (attachment.state ?? 'here') !== wanted) this.#look([attachment]);
  }

  #tell({ attachment, turn: to }: Due): void {
    this.#ways.say(`${WORDS[to]}: ${attachmentTitle(attachment)}`);
  }

  /** @returns whether it was done; why it wasn't, is said */
  #attempt(work: () => unknown): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#ways.say(reason(error));
      return false;
    }
  }
}
