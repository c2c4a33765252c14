import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { Refusal, reason } from './refusal.ts';

/** An element with its namespace resolved: prefixes are the writer's choice (XML Names 1.0). */
export interface Element {
  readonly name: string;
  /** Namespace URI; empty where no default namespace is in scope. */
  readonly namespace: string;
  /** Attributes without a prefix. Namespace declarations and foreign attributes are left out. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (Element | string)[];
}

type Node = Record<string, unknown>;
type Scope = ReadonlyMap<string, string>;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: true,
  htmlEntities: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/**
 * Parses one XML document.
 * @throws Refusal if it isn't well-formed, has several roots or none, or a DOCTYPE, whose entities may be huge
 */
export function parseXml(text: string): Element {
  if (text.includes('<!DOCTYPE')) throw new Refusal('the XML has a DOCTYPE, which libvirt never writes');
  const roots = readNodes(text).filter(node => !('#text' in node));
  const [root] = roots;
  if (root === undefined || roots.length > 1)
    throw new Refusal(`the XML has ${roots.length} root elements, not one`);
  const scope = new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]);
  return toElement(root, scope);
}

function readNodes(text: string): Node[] {
  try {
    const valid = XMLValidator.validate(text);
    if (valid !== true) throw new Error(`${valid.err.msg} (line ${valid.err.line})`);
    return parser.parse(text) as Node[];
  } catch (error) {
    throw new Refusal(`the XML can't be read: ${reason(error)}`);
  }
}

function toElement(node: Node, outer: Scope): Element {
  const tag = Object.keys(node).find(key => key !== ':@') ?? '';
  const attributes = Object.entries((node[':@'] ?? {}) as Record<string, string>);
  const declared = attributes.flatMap(([key, value]): [string, string][] =>
    key === 'xmlns' ? [['', value]] : key.startsWith('xmlns:') ? [[key.slice(6), value]] : [],
  );
  const scope = declared.length === 0 ? outer : new Map([...outer, ...declared]);
  const [prefix, name] = tag.includes(':') ? (tag.split(':', 2) as [string, string]) : ['', tag];
  const namespace = scope.get(prefix) ?? '';
  if (prefix !== '' && namespace === '') throw new Refusal(`the XML uses the undeclared prefix "${prefix}:"`);
  return {
    name,
    namespace,
    attributes: new Map(attributes.filter(([key]) => key !== 'xmlns' && !key.includes(':'))),
    children: (node[tag] as Node[]).map(child =>
      '#text' in child ? String(child['#text']) : toElement(child, scope),
    ),
  };
}

/** The child elements of a name, in the parent's own namespace or the one given. */
export const childrenOf = (parent: Element, name: string, namespace = parent.namespace): Element[] =>
  elements(parent).filter(child => child.name === name && child.namespace === namespace);

export const childOf = (parent: Element, name: string): Element | undefined => childrenOf(parent, name)[0];

export const elements = (parent: Element): Element[] =>
  parent.children.filter(child => typeof child !== 'string');

/** The text of an element, without that of its children. */
export const textOf = (element: Element): string =>
  element.children.filter(child => typeof child === 'string').join('');

/** Writes an element of libvirt's own vocabulary, which has no namespace. */
export function serialize(element: Element): string {
  const attributes = [...element.attributes].map(([key, value]) => ` ${key}="${escapeXml(value)}"`).join('');
  const inner = element.children
    .map(child => (typeof child === 'string' ? escapeXml(child) : serialize(child)))
    .join('');
  const start = `<${element.name}${attributes}`;
  return inner === '' ? `${start}/>` : `${start}>${inner}</${element.name}>`;
}

/** Escapes text for an element's content or a quoted attribute. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"'\n\r\t]/g, character => `&#${character.charCodeAt(0)};`);
