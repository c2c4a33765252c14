import type { Background } from './background.ts';
import type { Machine } from './machine.ts';
import { PATIENCE, until } from './wait.ts';

/** What became of a train of pings, from the first that was answered to the last that was sent before the stop. */
export interface Loss {
  readonly sent: number;
  readonly answered: number;
  /** Sent and never answered, not even in the second after the stop. */
  readonly lost: number;
  /** The longest time between two answers, or from the last to the end, in milliseconds. */
  readonly gap: number;
  /** The longest time in which no ping was sent, in milliseconds: of a gap, so much is the sender's. */
  readonly pause: number;
  /** How often somebody on the way refused to forward one, of those that are lost. */
  readonly refused: number;
  /** Answers beyond the first to a ping. */
  readonly duplicates: number;
}

/** Milliseconds between two pings; a busy machine makes it a few more. */
export const INTERVAL = 10;
/** In milliseconds: how late after the stop an answer may come. */
const GRACE = 1000;

/** Pings an address every 10 ms until it is stopped, and counts what was sent, not what came back. */
export class Pings {
  readonly #ping: Background;

  private constructor(ping: Background) {
    this.#ping = ping;
  }

  /** With -O it also prints a line for each that has no answer by the time the next is sent. */
  static argv(address: string): string[] {
    return ['ping', '-n', '-D', '-O', '-i', String(INTERVAL / 1000), address];
  }

  /** Returns once answers come. */
  static async start(machine: Machine, address: string): Promise<Pings> {
    const ping = machine.start(Pings.argv(address));
    await ping.until(/icmp_seq=\d+ ttl/, PATIENCE);
    return new Pings(ping);
  }

  /** Waits until as many more answers have come: life goes on after what was done. */
  async more(count: number, limit = PATIENCE): Promise<void> {
    const answers = () => lossOf(this.#ping.output).answered;
    const wanted = answers() + count;
    await until(() => answers() >= wanted, limit, `${count} more answers`);
  }

  /** Counts what was sent until now. While pings are missing it waits for their answers, a second at most. */
  async stop(): Promise<Loss> {
    const marked = Date.now();
    const complete = () => lossOf(this.#ping.output, marked).lost === 0 || Date.now() > marked + GRACE;
    await until(complete, PATIENCE, 'the last answers');
    return lossOf(await this.#ping.stop('SIGINT'), marked);
  }
}

interface Line {
  /** In milliseconds since 1970: when ping printed it. */
  readonly at: number;
  readonly sequence: number;
  readonly kind: 'answer' | 'duplicate' | 'refused' | 'none yet';
  /** When the ping was sent, where that is known. */
  readonly sentAt: number | undefined;
}

/**
 * What the output of `ping -D -O` tells.
 * @param until in milliseconds since 1970: pings that were sent later don't count
 */
export function lossOf(output: string, until = Number.POSITIVE_INFINITY): Loss {
  const lines = linesOf(output);
  const answers = lines.filter(({ kind }) => kind === 'answer');
  const first = answers[0]?.sequence ?? 1;
  const counted = lines.filter(line => line.sequence >= first && (line.sentAt ?? line.at) <= until);
  // Numbers have no holes: those before the last that is known to be sent were sent too.
  const last = counted.reduce((highest, { sequence }) => Math.max(highest, sequence), first - 1);
  const mine = lines.filter(({ sequence }) => sequence >= first && sequence <= last);
  const answered = mine.filter(({ kind }) => kind === 'answer').length;
  const sent = last - first + 1;
  return {
    sent,
    answered,
    lost: sent - answered,
    gap: longest([...mine.filter(({ kind }) => kind === 'answer').map(({ at }) => at), ...end(mine, until)]),
    // Whoever prints that one has no answer yet sends the next.
    pause: longest(mine.flatMap(({ sentAt, kind, at }) => sentAt ?? (kind === 'none yet' ? at : []))),
    refused: mine.filter(({ kind }) => kind === 'refused').length,
    duplicates: mine.filter(({ kind }) => kind === 'duplicate').length,
  };
}

/** When the train ended, if its last pings weren't answered. */
function end(lines: readonly Line[], until: number): number[] {
  const last = lines.at(-1);
  return last === undefined || last.kind === 'answer' ? [] : [Math.min(until, last.at)];
}

function longest(moments: readonly number[]): number {
  const sorted = moments.toSorted((a, b) => a - b);
  const gaps = sorted.slice(1).map((at, index) => at - (sorted[index] ?? at));
  return Math.round(gaps.reduce((most, gap) => Math.max(most, gap), 0));
}

const LINE = /^\[(\d+\.\d+)\] (.*)icmp_seq=(\d+)(.*)$/gm;

/** Their numbers go on after 65,535, where ping's begin anew. */
function linesOf(output: string): Line[] {
  let highest = 0;
  const seen = new Set<number>();
  return [...output.matchAll(LINE)].map(([, time, before = '', number, after = '']) => {
    const at = Number(time) * 1000;
    const sequence = unwrapped(Number(number), highest);
    highest = Math.max(highest, sequence);
    if (before.startsWith('no answer yet')) return { at, sequence, kind: 'none yet', sentAt: undefined };
    const took = /time=([\d.]+) ms/.exec(after)?.[1];
    if (took === undefined) return { at, sequence, kind: 'refused', sentAt: undefined };
    const kind = seen.has(sequence) ? 'duplicate' : 'answer';
    seen.add(sequence);
    return { at, sequence, kind, sentAt: at - Number(took) };
  });
}

/** The number nearest to the highest so far of those that ping writes alike. */
function unwrapped(number: number, highest: number): number {
  return number + 65_536 * Math.round((highest - number) / 65_536);
}
