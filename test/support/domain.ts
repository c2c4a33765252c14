import { createHash } from 'node:crypto';
import { escapeXml } from '../../src/model/xml.ts';

/** An address as a test writes it: alone (the article's names), or with what an assignment pins. */
export type Wanted =
  | string
  | { readonly ip: string; readonly bridge?: string; readonly scope?: string; readonly via?: string };

/** One network interface; `link`: what libvirt was told of its cable. */
export interface Plugged {
  readonly bridge: string;
  readonly tap: string;
  readonly link?: 'up' | 'down';
}

export interface DomainOptions {
  readonly addresses?: readonly Wanted[];
  /** In place of what is made from the addresses. */
  readonly metadata?: string;
  /** Bridge and tap of each network interface, as libvirt's live XML has them. */
  readonly taps?: readonly Plugged[];
}

/** A UUID that is the same for the same name, so that a test names a domain and nothing more. */
export function uuidOf(name: string): string {
  const hex = createHash('sha1').update(name).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

/** The XML that libvirt hands to the hook, with what the hook looks at and a little more. */
export function domainXml(name: string, options: DomainOptions = {}): string {
  const { addresses = [], metadata, taps = [] } = options;
  const inner = metadata ?? (addresses.length === 0 ? '' : assignmentXml(uuidOf(name), addresses));
  return `<domain type='qemu' id='1'>
  <name>${escapeXml(name)}</name>
  <uuid>${uuidOf(name)}</uuid>
  <metadata>${inner}</metadata>
  <memory unit='KiB'>131072</memory>
  <devices>${taps.map(interfaceXml).join('')}</devices>
</domain>
`;
}

export function assignmentXml(owner: string, addresses: readonly Wanted[], prefix = 'hnet'): string {
  const inner = addresses.map(one => addressXml(one, prefix)).join('');
  return `<${prefix}:assignment xmlns:${prefix}="urn:hnet:1" domain="${owner}">${inner}</${prefix}:assignment>`;
}

function addressXml(wanted: Wanted, prefix: string): string {
  const all = typeof wanted === 'string' ? { ip: wanted } : wanted;
  const attributes = Object.entries(all).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  return `<${prefix}:address${attributes.join('')}/>`;
}

function interfaceXml({ bridge, tap, link }: Plugged): string {
  return `<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='${bridge}'/>
    <target dev='${tap}'/><model type='virtio'/>${link === undefined ? '' : `<link state='${link}'/>`}</interface>`;
}
