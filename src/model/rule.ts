/** The rules of a domain in the words of `hnet firewall`. */
import { format, parsePrefix } from './address.ts';
import type { Policy, PolicyRule } from './policy.ts';
import { formatPorts, hasPorts, type PortRange, type Ports, PROTOCOL_WORDS, readProtocol } from './ports.ts';
import type { Prefix } from './prefix.ts';
import { quote, Refusal, reason } from './refusal.ts';

/**
 * The words of a rule, taken one by one: `next` is the next word, empty at the end; `take` takes it if it is one of some;
 * `expect` takes what `read` makes of it, and fails with `why`, or with the reason that `read` gives.
 */
function cursorOf(text: string) {
  const words = [...text.matchAll(/\S+/g)];
  let at = 0;
  const next = (): string => words[at]?.[0] ?? '';
  const fail = (why: string): never => {
    const column = (words[at]?.index ?? text.length) + 1;
    throw new Refusal(`Cannot read the rule ${quote(text)}, column ${column}: ${why}`);
  };
  const take = <Word extends string>(...expected: Word[]): Word | undefined => {
    const found = expected.find(word => word === next());
    if (found !== undefined) at++;
    return found;
  };
  const expect = <T>(read: (word: string) => T, why?: string): T => {
    try {
      const value = read(next());
      at++;
      return value;
    } catch (error) {
      return fail(`${quote(next())} ${why ?? reason(error)}`);
    }
  };
  return { next, take, expect, fail };
}

/**
 * Reads a rule: `[inbound|outbound] allow|deny [PROTOCOL[/PORTS]] [from|to PREFIX]`, such as
 * `allow tcp/80,443 from 203.0.113.0/24` or `outbound deny tcp/25`.
 * @throws Refusal with the column of the word where it goes wrong
 */
export function parseRule(text: string): PolicyRule {
  const { next, take, expect, fail } = cursorOf(text);
  const direction = take('inbound', 'outbound') ?? 'inbound';
  const but = next() === '' ? '' : `, not ${quote(next())}`;
  const action = take('allow', 'deny') ?? fail(`expected allow or deny${but}`);
  const what = ['', 'from', 'to'].includes(next()) ? parseWhat('any') : expect(parseWhat);
  const preposition = direction === 'inbound' ? 'from' : 'to';
  if (next() === '') return { direction, action, ...what, peer: undefined };
  if (take(preposition) === undefined)
    fail(`${quote(next())} isn't ${preposition}, which is what ${direction} rules take`);
  if (next() === '') fail(`expected an address or subnet after ${preposition}`);
  const peer = expect(parsePrefix, 'is not an address or subnet');
  if (next() !== '') fail(`${quote(next())} is too much: the rule ended before`);
  return { direction, action, ...what, peer };
}

function parseWhat(word: string): Pick<PolicyRule, 'protocol' | 'ports'> {
  const [name = '', ports, ...rest] = word.split('/');
  if (rest.length > 0) throw new Refusal('has two slashes');
  if (name === 'any' && ports === undefined) return { protocol: undefined, ports: [] };
  const protocol = readProtocol(name);
  if (protocol === undefined) throw new Refusal(`is not ${PROTOCOL_WORDS}`);
  if (ports === undefined) return { protocol, ports: [] };
  if (!hasPorts(protocol)) throw new Refusal(`names ports, which ${protocol} has not`);
  return { protocol, ports: ports.split(',').map(parsePorts) };
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

/** Reads what no domain may reach: ports such as `tcp/25`, or an address or subnet. @throws Refusal if it is neither */
export function parseDenial(text: string): Ports | Prefix {
  if (!/^[a-z]/.test(text) || text.includes(':')) return parsePrefix(text);
  const { protocol, ports } = parseWhat(text);
  if (protocol === undefined || !hasPorts(protocol) || ports.length === 0)
    throw new Refusal(`${quote(text)} is not ports such as tcp/25, nor a subnet`);
  return { protocol, ranges: ports };
}

/** A policy in a few words: `open`, or what it restricts. */
export function policySummary({ inbound, isolate, rules }: Policy): string {
  const count = rules.length === 1 ? '1 rule' : `${rules.length} rules`;
  const words = [inbound === 'deny' && 'deny', rules.length > 0 && count, isolate && 'isolated'];
  return words.filter(word => word !== false).join(', ') || 'open';
}

/** A rule in its canonical form, which the metadata keeps. */
export function formatRule({ direction, action, protocol, ports, peer }: PolicyRule): string {
  const what = `${protocol ?? 'any'}${ports.length > 0 ? `/${ports.map(formatPorts).join(',')}` : ''}`;
  const outbound = direction === 'outbound';
  const where = peer === undefined ? '' : ` ${outbound ? 'to' : 'from'} ${format(peer)}`;
  return `${outbound ? 'outbound ' : ''}${action} ${what}${where}`;
}
