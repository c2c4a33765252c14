/** What an element of the metadata may hold at all, before it is read: how many, how long, which words. */
import { quote, Refusal } from './refusal.ts';
import type { Element } from './xml.ts';

/** So much may be asked for one domain: a start has to end in time, and libvirt waits for it. */
const MOST = { addresses: 256, rules: 1000, forwards: 256 } as const;

export function refuseMany(what: keyof typeof MOST, count: number): void {
  if (count > MOST[what])
    throw new Refusal(`it has ${count} ${what}, and a domain may have ${MOST[what]}; use subnets`);
}

/** The longest word that means something has 45 characters, an IPv6 address; a rule may list ports. */
export const LONGEST = { attribute: 64, boot: 127, forward: 80, rule: 1000 } as const;

export function refuseLong(what: string, text: string, limit: number): void {
  if (text.length > limit)
    throw new Refusal(
      `${what} ${quote(text.slice(0, 20))}… has ${text.length} characters, more than ${limit}`,
    );
}

export function refuseStranger({ name }: Element, where: string): never {
  refuseLong('element', name, LONGEST.attribute);
  throw new Refusal(`unknown element <${name}> in ${where}`);
}

/** An attribute that may have one of some words. */
export function oneOf<Word extends string>(
  element: Element,
  attribute: string,
  words: readonly Word[],
): Word | undefined {
  const text = element.attributes.get(attribute);
  const word = words.find(one => one === text);
  if (text === word) return word;
  const known = words
    .map(one => `"${one}"`)
    .join(', ')
    .replace(/, (?=[^ ]*$)/, ' or ');
  throw new Refusal(`${attribute} is ${quote(text ?? '')}, not ${known}`);
}

export function refuseUnknown(element: Element, known: string[]): void {
  for (const [key, text] of element.attributes) {
    refuseLong('attribute', key, LONGEST.attribute);
    if (!known.includes(key)) throw new Refusal(`unknown attribute ${quote(key)} in <${element.name}>`);
    refuseLong(key, text, LONGEST.attribute);
  }
}
