/** Reads the XML of all running domains, as a repair does: quickly, for each has fifty devices that we don't need. */
import type { Domain } from './domain.ts';
import { isUuid } from './names.ts';
import { essence, readDomain, toDomain } from './parse-domain.ts';
import { ifPossible } from './refusal.ts';
import { type Element, elements, parseXml } from './xml.ts';

/** Running domains by UUID. One whose XML can't be read gets a malformed intent: it must not count as stopped. */
export function readRunning(xmls: readonly string[]): Map<string, Domain> {
  const roots = readTogether(xmls.map(essence));
  return new Map(
    xmls.flatMap((xml, index) => {
      const domain = readOne(xml, roots[index]);
      return domain === undefined ? [] : [[domain.uuid, domain]];
    }),
  );
}

/**
 * Of the definitions of running domains those that say something else about the assignment, or about bridges, than what
 * runs: nearly all say the same, and to read one takes a hundred times as long as to compare it.
 * @param live the XML of each running domain
 */
export function readDiffering(definitions: readonly string[], live: readonly string[]): Map<string, Domain> {
  const running = new Map(live.map(xml => [uuidIn(xml), ofInterest(xml)]));
  return readRunning(definitions.filter(xml => running.get(uuidIn(xml)) !== ofInterest(xml)));
}

const uuidIn = (xml: string): string => /<uuid>([^<]*)<\/uuid>/.exec(xml)?.[1] ?? '';

/** Metadata, and the bridges that interfaces are plugged into, as libvirt writes them. */
const ofInterest = (xml: string): string =>
  [
    xml.slice(xml.indexOf('<metadata'), xml.lastIndexOf('</metadata>')),
    ...(xml.match(/<source bridge=(?:'[^']*'|"[^"]*")/g) ?? []),
  ].join('\n');

/** Parses them as one document: starting the parser costs more than a domain. Empty if one isn't a single element. */
function readTogether(xmls: readonly string[]): Element[] {
  const roots = ifPossible(() => elements(parseXml(`<domains>${xmls.join('')}</domains>`))) ?? [];
  return roots.length === xmls.length ? roots : [];
}

function readOne(xml: string, root: Element | undefined): Domain | undefined {
  const read = ifPossible(() => (root === undefined ? readDomain(xml) : toDomain(root)));
  return read ?? nameless(xml);
}

/** A domain of whose XML nothing but the UUID can be read, or undefined if not even that. */
export function nameless(xml: string): Domain | undefined {
  const uuid = uuidIn(xml);
  const intent = { kind: 'malformed', why: 'its XML cannot be read' } as const;
  return isUuid(uuid) ? { uuid, name: uuid, nics: [], intent } : undefined;
}
