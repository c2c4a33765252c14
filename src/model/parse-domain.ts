/** Domains as libvirt's XML describes them. */
import type { Domain, Nic } from './domain.ts';
import { readIntent } from './metadata.ts';
import { isUuid, MAC } from './names.ts';
import { quote, Refusal } from './refusal.ts';
import { childOf, childrenOf, type Element, elements, parseXml, textOf } from './xml.ts';

/**
 * Reads libvirt's domain XML (libvirt.org/formatdomain.html), live or inactive.
 * @throws Refusal if it isn't the XML of a domain; a malformed assignment is data: one domain's must not hide the others
 */
export const parseDomain = (xml: string): Domain => toDomain(parseXml(xml));

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

/** Reads the parsed XML. @throws Refusal as {@link parseDomain} */
export function toDomain(root: Element): Domain {
  if (root.name !== 'domain') throw new Refusal(`the XML is of a <${root.name}>, not of a <domain>`);
  const uuid = textOf(childOf(root, 'uuid') ?? root).trim();
  if (!isUuid(uuid)) throw new Refusal(`the domain's XML has no valid UUID: ${quote(uuid)}`);
  const name = childOf(root, 'name');
  if (name === undefined) throw new Refusal(`the XML of domain ${uuid} has no name`);
  const devices = childOf(root, 'devices');
  const metadata = childOf(root, 'metadata');
  return {
    uuid,
    name: textOf(name),
    nics: devices === undefined ? [] : childrenOf(devices, 'interface').map(parseNic),
    intent: readIntent(metadata === undefined ? [] : elements(metadata)),
  };
}

function parseNic(element: Element): Nic {
  const source = childOf(element, 'source');
  const mac = (childOf(element, 'mac')?.attributes.get('address') ?? '').toLowerCase();
  return {
    mac: MAC.test(mac) ? mac : '',
    type: element.attributes.get('type') ?? '',
    source: source?.attributes.get('bridge') ?? source?.attributes.get('network'),
    tap: childOf(element, 'target')?.attributes.get('dev'),
    isOff: childOf(element, 'link')?.attributes.get('state') === 'down',
    element,
  };
}
