/** What the words of `hnet assign` ask for. */
import { format, parseAddress, parseRoutable } from '../../model/address.ts';
import { parseBootFile } from '../../model/boot.ts';
import { DHCP_MODES, type DhcpMode, isDhcpMode } from '../../model/dhcp-mode.ts';
import { parseScope } from '../../model/metadata.ts';
import { MAC } from '../../model/names.ts';
import { overlaps, type Prefix } from '../../model/prefix.ts';
import { asUsage, quote, UsageRefusal } from '../../model/refusal.ts';

export interface AssignOptions {
  readonly dryRun?: boolean;
  /** MAC of the interface that shall carry the addresses, or false for "leave the interfaces alone". */
  readonly nic?: string | boolean;
  /** What its DHCP server shall hand out; `default` leaves it to the configuration. */
  readonly dhcp?: string;
  /** Its own address that routes the new ones on. */
  readonly via?: string;
  /** The private subnet of the bridge. */
  readonly scope?: string;
  /** Whether it gets an address of its bridge's private subnet. */
  readonly private?: boolean;
  /** What its boot ROMs load; `default` leaves it to the configuration. */
  readonly boot?: string;
}

export interface Request extends ReturnType<typeof parseSingles> {
  readonly name: string;
  readonly prefixes: readonly Prefix[];
  /** Of the interface that is meant. */
  readonly mac: string | undefined;
  /** What it gets besides addresses. */
  readonly own: ReturnType<typeof parseMode> & ReturnType<typeof parseBoot>;
  readonly options: AssignOptions;
}

/** @throws UsageRefusal for words that mean nothing */
export function parseRequest(name: string, wanted: readonly string[], options: AssignOptions): Request {
  const prefixes = parseAll(wanted);
  const mac = parseMac(options.nic);
  const own = { ...parseMode(options.dhcp), ...parseBoot(options.boot) };
  return { name, prefixes, mac, own, ...parseSingles(prefixes, options), options };
}

/** The next hop and the scope, where they are given. */
function parseSingles(prefixes: readonly Prefix[], options: Pick<AssignOptions, 'via' | 'scope'>) {
  const read = <T>(text: string | undefined, parse: (text: string) => T, purpose: string): T | undefined =>
    text === undefined ? undefined : asUsage(() => parse(text), purpose);
  const via = read(options.via, parseAddress, 'assign');
  if (via !== undefined && prefixes.length === 0)
    throw new UsageRefusal('Cannot use --via without a prefix: which one shall the domain route on?');
  return { via, scope: read(options.scope, parseScope, 'use --scope') };
}

function parseAll(wanted: readonly string[]): Prefix[] {
  const prefixes = wanted.map(text => asUsage(() => parseRoutable(text), 'assign'));
  prefixes.forEach((prefix, index) => {
    const twin = prefixes.slice(0, index).find(earlier => overlaps(earlier, prefix));
    if (twin !== undefined)
      throw new UsageRefusal(`Cannot assign ${format(prefix)}: it overlaps ${format(twin)}, given before`);
  });
  return prefixes;
}

function parseMac(nic: string | boolean | undefined): string | undefined {
  if (typeof nic !== 'string') return undefined;
  if (MAC.test(nic.toLowerCase())) return nic.toLowerCase();
  throw new UsageRefusal(`Cannot use --nic ${quote(nic)}: it is not a MAC address such as 52:54:00:12:34:56`);
}

/** The change of the DHCP mode that the user asks for, if any. */
function parseMode(text: string | undefined): { dhcp?: DhcpMode | undefined } {
  if (text === undefined) return {};
  if (text === 'default') return { dhcp: undefined };
  if (isDhcpMode(text)) return { dhcp: text };
  throw new UsageRefusal(
    `Cannot use --dhcp ${quote(text)}: it is ${DHCP_MODES.join(', ')}, or default for what hnet.toml says`,
  );
}

/** The change of what its boot ROMs load, if any. */
function parseBoot(text: string | undefined): { boot?: string | undefined } {
  if (text === undefined) return {};
  return { boot: text === 'default' ? undefined : asUsage(() => parseBootFile(text), 'assign') };
}
