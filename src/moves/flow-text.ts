/** The tracked flows of a domain, as one host hands them to another; pure. */
import { parsePrefix } from '../model/address.ts';
import { contains, equal, type Prefix } from '../model/prefix.ts';
import { ifPossible } from '../model/refusal.ts';

/** What conntrack(8) writes of a flow under `-o save`, and nothing else: it obeys whatever a line says. */
const FLOW =
  /^-A( -t \d+| -u [A-Z_,]+| -[srdq] [\da-f.:]+| -p [a-z\d]+| --(sport|dport|reply-port-src|reply-port-dst) \d+| --icmp(v6)?-(type|code|id) \d+| --state [A-Z_\d]+)+$/;
const WORD = { from: 's', to: 'd', back: 'r', home: 'q' } as const;

/** The ends of a flow: of its first packet, and of the first answer. */
function waysOf(line: string): Readonly<Record<keyof typeof WORD, Prefix>> | undefined {
  const read = (word: string): Prefix => parsePrefix(new RegExp(` -${word} (\\S+)`).exec(line)?.[1] ?? '');
  return ifPossible(() => ({
    from: read(WORD.from),
    to: read(WORD.to),
    back: read(WORD.back),
    home: read(WORD.home),
  }));
}

/**
 * Of some lines those that are flows of these addresses, and that nobody translates: what is translated ends with the host.
 * Those come first that the domain has opened: its rules may let the others in anyway.
 */
export function flowsAmong(lines: readonly string[], own: readonly Prefix[]): string[] {
  const isOwn = (end: Prefix): boolean => own.some(one => contains(one, end));
  const opened: string[] = [];
  const called: string[] = [];
  for (const line of lines) {
    const ends = FLOW.test(line) ? waysOf(line) : undefined;
    if (ends === undefined || !equal(ends.from, ends.home) || !equal(ends.to, ends.back)) continue;
    if (isOwn(ends.from)) opened.push(line);
    else if (isOwn(ends.to)) called.push(line);
  }
  return [...opened, ...called];
}

/** What tells a flow by its first packet, and by the first answer. */
const [CALL, ANSWER] = [
  ['p', 's', 'd', '-sport', '-dport'],
  ['p', 'r', 'q', '-reply-port-src', '-reply-port-dst'],
];
const said = (line: string, words: readonly string[]): string =>
  words.map(word => new RegExp(` -${word} (\\S+)`).exec(line)?.[1] ?? '').join(' ');

/**
 * Of the flows that stand those that go the other way than one that is taken over. While a domain was about to come, its rules
 * were there and its packets weren't: so an answer of somebody here who has no rules was taken for a call, which they refuse.
 * Of ICMP no answer is taken for a call.
 */
export function opposed(standing: readonly string[], taken: readonly string[]): string[] {
  const answers = new Set(taken.filter(line => line.includes(' --sport ')).map(line => said(line, ANSWER)));
  return standing.filter(line => answers.has(said(line, CALL)));
}
