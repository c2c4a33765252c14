import { quote, UsageRefusal } from '../model/refusal.ts';
import { cloudInit, cloudInitV1 } from './cloud-init.ts';
import { type Format, printFiles } from './file.ts';
import { freebsd } from './freebsd.ts';
import { ifupdown } from './ifupdown.ts';
import { netplan } from './netplan.ts';
import type { StaticNetwork } from './network.ts';
import { networkd } from './networkd.ts';
import { networkmanager } from './networkmanager.ts';
import { openbsd } from './openbsd.ts';
import { windows } from './windows.ts';

/** Formats for the system inside a domain. */
export const GUEST_FORMATS: Readonly<Record<string, Format>> = {
  ifupdown,
  netplan,
  networkd,
  networkmanager,
  'cloud-init': cloudInit,
  'cloud-init-v1': cloudInitV1,
  freebsd,
  openbsd,
  windows,
};

/** Picks a format by name. @throws UsageRefusal that lists them, also where none was named */
export function pickFormat(
  formats: Readonly<Record<string, Format>>,
  name: string | undefined,
  more: readonly string[] = [],
): Format {
  const names = [...Object.keys(formats), ...more].join(', ');
  if (name === undefined) throw new UsageRefusal(`Cannot choose a format: say --format and one of ${names}`);
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
  if (format !== undefined) return format;
  throw new UsageRefusal(`Cannot use --format ${quote(name)}: the formats are ${names}`);
}

/** The network as text in one format, or in all of them, each under its name. */
export function printNetwork(network: StaticNetwork, name: string | undefined): string {
  if (name !== 'all') return printFiles(pickFormat(GUEST_FORMATS, name, ['all'])(network));
  return Object.entries(GUEST_FORMATS)
    .map(([title, format]) => `#### ${title}\n\n${printFiles(format(network))}`)
    .join('\n');
}
