/**
 * Reads the XML of domains quickly: a repair reads that of all running domains, each with fifty devices that we don't
 * need.
 */
import { type Domain, parseDomain, toDomain } from './domain.ts';
import { isUuid } from './names.ts';
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

/** Parses them as one document: starting the parser costs more than a domain. Empty if one isn't a single element. */
function readTogether(xmls: readonly string[]): Element[] {
  try {
    const roots = elements(parseXml(`<domains>${xmls.join('')}</domains>`));
    return roots.length === xmls.length ? roots : [];
  } catch {
    return [];
  }
}

function readOne(xml: string, root: Element | undefined): Domain | undefined {
  try {
    return root === undefined ? readDomain(xml) : toDomain(root);
  } catch {
    const [, uuid = ''] = /<uuid>([^<]*)<\/uuid>/.exec(xml) ?? [];
    const intent = { kind: 'malformed', why: 'its XML cannot be read' } as const;
    return isUuid(uuid) ? { uuid, name: uuid, nics: [], intent } : undefined;
  }
}

/** Like {@link parseDomain}, but quicker. @throws Refusal as it does */
export function readDomain(xml: string): Domain {
  try {
    return parseDomain(essence(xml));
  } catch {
    // The whole XML may still be readable, or give a better message.
    return parseDomain(xml);
  }
}

/**
 * A domain's XML without its devices except network interfaces. libvirt writes name, UUID and metadata first, and only
 * network interfaces are called `interface`.
 */
export function essence(xml: string): string {
  if (!isWhole(xml)) return xml;
  const end = ['</metadata>', '</uuid>']
    .map(tag => [tag, xml.lastIndexOf(tag)] as const)
    .find(([, at]) => at > 0);
  if (end === undefined) return xml;
  const head = xml.slice(0, end[1] + end[0].length);
  const interfaces = xml.slice(head.length).match(/<interface[ >][\s\S]*?<\/interface>/g) ?? [];
  return `${head}<devices>${interfaces.join('')}</devices></domain>`;
}

/** XML that libvirt didn't write, or that was cut off, must be parsed as it is: the parser says what is wrong. */
const isWhole = (xml: string): boolean =>
  xml.trimEnd().endsWith('</domain>') &&
  !xml.includes('<!DOCTYPE') &&
  xml.includes('<metadata') === xml.includes('</metadata>');
