/**
 * The running domains, read quickly: a repair looks at all of them, and the XML of one holds fifty devices that are
 * none of our business.
 */
import { type Domain, parseDomain, toDomain } from './domain.ts';
import { isUuid } from './names.ts';
import { type Element, elements, parseXml } from './xml.ts';

/** Running domains by their UUID. What can't be read of one is malformed intent, lest it count as not running. */
export function readRunning(xmls: readonly string[]): Map<string, Domain> {
  const roots = readTogether(xmls.map(essence));
  return new Map(
    xmls.flatMap((xml, index) => {
      const domain = readOne(xml, roots[index]);
      return domain === undefined ? [] : [[domain.uuid, domain]];
    }),
  );
}

/** All of them as one document: the parser's start costs more than a domain. None if one of them is no element by itself. */
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

/** The same as {@link parseDomain} at less cost. @throws Refusal as it does */
export function readDomain(xml: string): Domain {
  try {
    return parseDomain(essence(xml));
  } catch {
    // Cut short it can't be read; perhaps it can as a whole.
    return parseDomain(xml);
  }
}

/**
 * A domain's XML without the hardware, but for its network interfaces. libvirt writes name, UUID and metadata
 * before anything else, and no element of a device is called `interface` but one that is.
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

/** What isn't libvirt's, or was cut off, must show as that. */
const isWhole = (xml: string): boolean =>
  xml.trimEnd().endsWith('</domain>') &&
  !xml.includes('<!DOCTYPE') &&
  xml.includes('<metadata') === xml.includes('</metadata>');
