import { stringify } from 'yaml';
import type { Family } from '../model/prefix.ts';
import { bare, type StaticNetwork } from './network.ts';

/** A file of the system to be configured. In all our formats `#` begins a comment. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** A format is a pure function from the network to files. */
export type Format = (network: StaticNetwork) => ConfigFile[];

export const file = (path: string, ...lines: readonly string[]): ConfigFile => ({
  path,
  text: `${lines.join('\n').trimEnd()}\n`,
});

/** Strings are quoted: in YAML 1.1, which netplan and cloud-init read, 52:54:00:12:34:56 may be a number, and `on` is true. */
export const yaml = (value: object): string =>
  stringify(value, {
    version: '1.1',
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
    lineWidth: 0,
  });

export const yamlFile = (path: string, notes: readonly string[], value: object): ConfigFile =>
  file(path, ...comments(notes), yaml(value));

export const comments = (notes: readonly string[]): string[] => notes.map(note => `# ${note}`);

/** Everything as a destination: netplan before 0.103 and cloud-init's own parser don't know "default". */
export const EVERYTHING: Readonly<Record<Family, string>> = { 4: '0.0.0.0/0', 6: '::/0' };

/** For formats that have no rules by source address. */
export function sourceRoutingNotes({ nics }: StaticNetwork): string[] {
  const others = nics.filter(({ routes }) => routes.some(({ table }) => table !== undefined));
  return others.map(
    ({ mac }) =>
      `The interface ${mac} is not the first of its family: answers from its addresses must leave through it, by rules of your own.`,
  );
}

/** Files as text to paste: a comment says where each belongs. */
export function printFiles(files: readonly ConfigFile[]): string {
  return files.map(({ path, text }) => `# ${path}\n${text}`).join('\n');
}

/** /etc/resolv.conf, for formats that can't name the servers themselves. */
export function resolvConf(network: StaticNetwork, path: string): ConfigFile[] {
  if (network.dns.length === 0) return [];
  const servers = network.dns.map(server => `nameserver ${bare(server)}`);
  return [file(path, `search ${network.search}`, ...servers)];
}
