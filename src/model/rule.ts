/** What an operator allows and denies a domain: the rules, and the words of `hnet firewall`. */
import { format, parsePrefix } from './address.ts';
import type { PortRange, Ports, Protocol } from './ports.ts';
import type { Family, Prefix } from './prefix.ts';
import { quote, Refusal, reason } from './refusal.ts';

/** One rule of a domain. Rules are ordered, and the first that matches decides. */
export interface PolicyRule {
  readonly direction: 'inbound' | 'outbound';
  readonly action: 'allow' | 'deny';
  /** Undefined: any protocol. */
  readonly protocol: Protocol | undefined;
  /** Destination ports; empty: any. */
  readonly ports: readonly PortRange[];
  /** The other end: source of inbound, destination of outbound packets. Undefined: anybody. */
  readonly peer: Prefix | undefined;
}

export interface Policy {
  /** What happens to inbound flows that no rule matches. */
  readonly inbound: 'allow' | 'deny';
  /** No traffic with other domains of this host. */
  readonly isolate: boolean;
  readonly rules: readonly PolicyRule[];
}

/** What a domain has that nobody gave rules to: everything allowed, and nothing to keep track of. */
export const OPEN: Policy = { inbound: 'allow', isolate: false, rules: [] };

/** Whether a domain's flows must be tracked: only rules tell one direction from the other. */
export const isTracked = (policy: Policy): boolean => policy.inbound === 'deny' || policy.rules.length > 0;

/**
 * Reads a rule: `[inbound|outbound] allow|deny [PROTOCOL[/PORTS]] [from|to PREFIX]`, such as
 * `allow tcp/80,443 from 203.0.113.0/24` or `outbound deny tcp/25`.
 * @throws Refusal with the column of the word where it goes wrong
 */
export function parseRule(text: string): PolicyRule {
  const words = [...text.matchAll(/\S+/g)].map(match => ({ word: match[0], column: match.index + 1 }));
  const at = (index: number) => words[index] ?? { word: '', column: text.length + 1 };
  const fail = (index: number, why: string): never => {
    const { word, column } = at(index);
    const said = why.startsWith('expected')
      ? `${why}${word === '' ? '' : `, not ${quote(word)}`}`
      : `${quote(word)} ${why}`;
    throw new Refusal(`Cannot read the rule ${quote(text)}, column ${column}: ${said}`);
  };
  let next = 0;
  const direction = at(0).word === 'outbound' ? 'outbound' : 'inbound';
  if (['inbound', 'outbound'].includes(at(0).word)) next++;
  const action = at(next).word;
  if (action !== 'allow' && action !== 'deny') return fail(next, 'expected allow or deny');
  next++;
  let what: ReturnType<typeof parseWhat> = { protocol: undefined, ports: [] };
  if (next < words.length && !['from', 'to'].includes(at(next).word))
    what = attempt(
      () => parseWhat(at(next++).word),
      why => fail(next - 1, why),
    );
  let peer: Prefix | undefined;
  if (next < words.length) {
    const preposition = direction === 'inbound' ? 'from' : 'to';
    if (at(next).word !== preposition)
      return fail(next, `isn't ${preposition}, which is what ${direction} rules take`);
    if (next + 1 >= words.length) return fail(next + 1, `expected an address or subnet after ${preposition}`);
    peer = attempt(
      () => parsePrefix(at(next + 1).word),
      () => fail(next + 1, 'is not an address or subnet'),
    );
    next += 2;
  }
  if (next < words.length) return fail(next, 'is too much: the rule ended before');
  return { direction, action, ...what, peer };
}

function attempt<T>(read: () => T, fail: (why: string) => never): T {
  try {
    return read();
  } catch (error) {
    return fail(reason(error));
  }
}

function parseWhat(word: string): Pick<PolicyRule, 'protocol' | 'ports'> {
  const [name = '', ports, ...rest] = word.split('/');
  if (rest.length > 0) throw new Refusal('has two slashes');
  if (name === 'any' && ports === undefined) return { protocol: undefined, ports: [] };
  if (name !== 'tcp' && name !== 'udp' && name !== 'icmp') throw new Refusal('is not tcp, udp, icmp or any');
  if (ports === undefined) return { protocol: name, ports: [] };
  if (name === 'icmp') throw new Refusal('names ports, which icmp has not');
  return { protocol: name, ports: ports.split(',').map(parsePorts) };
}

function parsePorts(text: string): PortRange {
  const [, low, high] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const first = Number(low);
  const final = Number(high ?? low);
  if (!(first >= 1 && final <= 65535))
    throw new Refusal(`holds ${quote(text)}, not a port or range from 1 to 65535`);
  if (first > final) throw new Refusal(`holds ${quote(text)}, a range that ends before it begins`);
  return [first, final];
}

/** Host-wide denials of the configuration, `tcp/25`. @throws Refusal if it names no protocol */
export function parsePortWords(text: string): Ports {
  const { protocol, ports } = parseWhat(text);
  if ((protocol !== 'tcp' && protocol !== 'udp') || ports.length === 0)
    throw new Refusal(`${quote(text)} is not ports, such as tcp/25`);
  return { protocol, ranges: ports };
}

/** A policy at a glance: `open`, or what it closes. */
export function policySummary({ inbound, isolate, rules }: Policy): string {
  const count = rules.length === 0 ? [] : [rules.length === 1 ? '1 rule' : `${rules.length} rules`];
  return (
    [...(inbound === 'deny' ? ['deny'] : []), ...count, ...(isolate ? ['isolated'] : [])].join(', ') || 'open'
  );
}

/** The rule in its canonical words, as the metadata keeps it. */
export function formatRule({ direction, action, protocol, ports, peer }: PolicyRule): string {
  const what = `${protocol ?? 'any'}${ports.length > 0 ? `/${ports.map(formatPorts).join(',')}` : ''}`;
  const words = [direction === 'outbound' ? 'outbound' : undefined, action, what];
  if (peer !== undefined) words.push(direction === 'inbound' ? 'from' : 'to', format(peer));
  return words.filter(word => word !== undefined).join(' ');
}

const formatPorts = ([first, final]: PortRange): string =>
  first === final ? String(first) : `${first}-${final}`;

/** Whether a rule means packets of this family at all: one with a peer of the other doesn't. */
export const applies = ({ peer }: PolicyRule, family: Family): boolean =>
  peer === undefined || peer.family === family;
