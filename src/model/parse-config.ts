import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { parseAddress, parsePrefix } from './address.ts';
import { parseBootFile } from './boot.ts';
import { ANNOUNCEMENTS, type ClusterSettings, type Config } from './config.ts';
import {
  parseAddress4,
  parseBootServer,
  parseDuration,
  parseEndpoint,
  parsePool,
  parseScopes,
  parseSettle,
} from './config-values.ts';
import { DHCP_MODES } from './dhcp-mode.ts';
import { refuseBadRanges } from './fit.ts';
import { MTU_RANGE } from './mtu.ts';
import { CONFIG_FILE, INTERFACE_NAME } from './names.ts';
import type { Prefix } from './prefix.ts';
import { ifPossible, quote, Refusal, reason } from './refusal.ts';
import { parseDenial } from './rule.ts';
import { refuseNewer } from './version.ts';

/** A parser of ours as a schema of valibot: the parser's words become the message. */
const parsed = <T>(read: (text: string) => T) =>
  v.pipe(
    v.string(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      try {
        return read(dataset.value);
      } catch (error) {
        addIssue({ message: reason(error) });
        return NEVER;
      }
    }),
  );

/** Quad9: what resolves names where the host's own resolvers aren't known (docs/design.md, "Decisions, and why"). */
export const FALLBACK_DNS = ['9.9.9.9', '149.112.112.112', '2620:fe::fe', '2620:fe::9'];

const listOrOne = v.pipe(
  v.union([v.array(v.string()), v.string()], 'not a subnet or a list of subnets'),
  v.transform(one => [one].flat()),
);

const dhcpSchema = v.pipe(
  v.strictObject({
    mode: v.optional(v.picklist(DHCP_MODES, 'not "bootstrap", "public" or "off"'), 'bootstrap'),
    scopes: v.optional(v.pipe(listOrOne, v.array(parsed(parseScopes))), ['172.30.0.0/16']),
    dns: v.optional(v.array(parsed(parseAddress)), FALLBACK_DNS),
    domain: v.optional(
      v.pipe(v.string(), v.regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/i, 'not a domain name')),
      'lan',
    ),
    lease: v.optional(parsed(parseDuration), '1h'),
    boot_server: v.optional(parsed(parseBootServer)),
    boot_file: v.optional(parsed(parseBootFile)),
    ipxe: v.optional(parsed(parseBootFile)),
    ntp: v.optional(v.array(parsed(parseAddress)), []),
  }),
  v.transform(({ boot_server: server, boot_file: file, ipxe, ...rest }) => ({
    ...rest,
    boot: { server, file, ipxe },
  })),
);

const device = v.pipe(v.string(), v.regex(INTERFACE_NAME, 'not an interface name'));
const deviceList = v.pipe(
  v.union([v.array(device), device], 'not an interface name'),
  v.transform(one => [one].flat()),
);

const firewallSchema = v.pipe(
  v.strictObject({
    backend: v.optional(
      v.picklist(['auto', 'iptables', 'nftables'], 'not "auto", "iptables" or "nftables"'),
      'auto',
    ),
    between_domains: v.optional(v.boolean(), true),
    outbound_deny: v.optional(v.array(parsed(parseDenial)), []),
    private_destinations: v.optional(
      v.union(
        [v.picklist(['drop', 'allow']), v.array(parsed(parsePrefix))],
        'not "drop", "allow" or a list of subnets that may be reached',
      ),
    ),
    host_access: v.optional(v.picklist(['open', 'dhcp-only'], 'not "open" or "dhcp-only"'), 'open'),
    inside: v.optional(deviceList, []),
  }),
  v.transform(({ between_domains, outbound_deny, private_destinations, host_access, ...rest }) => ({
    ...rest,
    betweenDomains: between_domains,
    outboundDeny: outbound_deny,
    privateDestinations: private_destinations,
    hostAccess: host_access,
  })),
);

const devices = v.pipe(deviceList, v.minLength(1, 'names no interface'));
const delivery = v.optional(v.picklist(['routed', 'on-link'], 'not "routed" or "on-link"'), 'routed');
const pools = v.array(parsed(parsePool));

/** One address of each family at most. */
const ownOnes = v.optional(
  v.pipe(
    listOrOne,
    v.array(parsed(parseAddress)),
    v.check(all => new Set(all.map(({ family }) => family)).size === all.length, 'two of one family'),
  ),
  [],
);

const notMtu = ({ input }: v.BaseIssue<unknown>): string =>
  `${JSON.stringify(input)} is not a number of bytes from ${MTU_RANGE.least} to ${MTU_RANGE.most}; without the key bridges take as much as the uplink`;

const mtu = v.optional(
  v.pipe(
    v.number(notMtu),
    v.integer(notMtu),
    v.minValue(MTU_RANGE.least, notMtu),
    v.maxValue(MTU_RANGE.most, notMtu),
  ),
);

const notMonths = ({ input }: v.BaseIssue<unknown>): string =>
  `${JSON.stringify(input)} is not a number of months from 1 to 120`;

const historySchema = v.strictObject({
  months: v.optional(
    v.pipe(v.number(notMonths), v.integer(notMonths), v.minValue(1, notMonths), v.maxValue(120, notMonths)),
    13,
  ),
});

const furtherSchema = v.strictObject({
  device: devices,
  address: ownOnes,
  gateway: ownOnes,
  pools,
  ipv4: delivery,
  ipv6: delivery,
  mtu,
});

/** It is a part of etcd's keys, and of BIRD's configuration. */
const hostLabel = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/i, 'not a name of letters, digits, "-" and "."'),
);
const pemFile = v.optional(v.pipe(v.string(), v.startsWith('/', 'not an absolute path')));

const clusterSchema = v.pipe(
  v.strictObject({
    name: hostLabel,
    host: v.optional(hostLabel),
    interface: device,
    address: ownOnes,
    etcd: v.pipe(v.array(parsed(parseEndpoint)), v.minLength(1, 'names no etcd')),
    ca: pemFile,
    cert: pemFile,
    key: pemFile,
    announce: v.picklist(ANNOUNCEMENTS, 'not "on-link", "bgp" or "command"'),
    command: v.optional(v.array(v.pipe(v.string(), v.minLength(1))), []),
    reflectors: v.optional(v.array(hostLabel), []),
    settle: v.optional(parsed(parseSettle), '30s'),
    offline: v.optional(v.picklist(['own', 'refuse'], 'not "own" or "refuse"'), 'own'),
  }),
  v.forward(
    v.check(
      ({ cert, key }) => (cert === undefined) === (key === undefined),
      '"cert" and "key" come together',
    ),
    ['cert'],
  ),
  v.forward(
    v.check(
      ({ announce, command }) => (announce === 'command') === command.length > 0,
      'it comes with announce = "command", and only with it',
    ),
    ['command'],
  ),
  v.transform(
    ({ interface: wire, address, etcd: endpoints, ca, cert, key, ...rest }): ClusterSettings => ({
      ...rest,
      host: rest.host,
      wire,
      addresses: address,
      etcd: { endpoints, ca, cert, key },
    }),
  ),
);

/** Of the file's form; a file without it has the first. */
const VERSION = 1;

const schema = v.strictObject({
  version: v.optional(v.literal(VERSION, `not ${VERSION}, the version that this hnet reads`), VERSION),
  pools,
  uplink: v.optional(devices),
  host: v.optional(parsed(parseAddress4)),
  gateway: v.optional(parsed(parseAddress4)),
  ipv4: delivery,
  ipv6: delivery,
  uplinks: v.optional(v.array(furtherSchema, 'not a list of tables: write [[uplinks]]'), []),
  mtu,
  dhcp: v.optional(dhcpSchema, {}),
  firewall: v.optional(firewallSchema, {}),
  history: v.optional(historySchema, {}),
  cluster: v.optional(clusterSchema),
});

/** What hnet.toml may hold; config-keys.ts says what each key means. */
export type ConfigFile = v.InferInput<typeof schema>;
type Output = v.InferOutput<typeof schema>;

function toSettings(output: Output): Omit<Config, 'inForce' | 'fault'> {
  const { pools: own, uplink, host, gateway, ipv4, ipv6, uplinks, mtu: bridges, ...rest } = output;
  const given = (address: Prefix | undefined): Prefix[] => (address === undefined ? [] : [address]);
  const main = {
    path: [],
    devices: uplink ?? [],
    addresses: given(host),
    gateways: given(gateway),
    pools: own,
    delivery: { 4: ipv4, 6: ipv6 },
    mtu: undefined,
  };
  const further = uplinks.map((one, place) => ({
    path: ['uplinks', String(place)],
    devices: one.device,
    addresses: one.address,
    gateways: one.gateway,
    pools: one.pools,
    delivery: { 4: one.ipv4, 6: one.ipv6 },
    mtu: one.mtu,
  }));
  return {
    pools: [...own, ...further.flatMap(one => one.pools)],
    uplinks: [main, ...further],
    mtu: bridges,
    dhcp: rest.dhcp,
    firewall: rest.firewall,
    history: rest.history,
    cluster: rest.cluster,
  };
}

/** The settings of an empty configuration; for removing things, where no setting matters. */
export const DEFAULT_CONFIG: Config = {
  ...toSettings(v.parse(schema, { pools: [] })),
  inForce: [],
  fault: (_path, _value, why) => new Refusal(why),
};

/**
 * Parses the text of hnet.toml.
 * @throws Refusal with file, line and key, also for pools that overlap, or hold the host's own address or the gateway's
 */
export function parseConfig(text: string, file = CONFIG_FILE): Config {
  const value = readToml(text, file);
  try {
    refuseNewer(value, VERSION);
  } catch (error) {
    throw refusal(text, file, { path: ['version'], value: undefined, why: reason(error) });
  }
  const result = v.safeParse(schema, value);
  if (!result.success) throw refusal(text, file, faultOf(result.issues));
  const fault: Config['fault'] = (path, value, why) => refusal(text, file, { path, value, why });
  const config: Config = { ...toSettings(result.output), inForce: [], fault };
  refuseTwins(config);
  refuseBadRanges(config);
  return config;
}

/** An interface is one uplink, or none. */
function refuseTwins({ uplinks, firewall, fault }: Config): void {
  const earlier: string[] = [];
  for (const { path, devices: names } of uplinks)
    for (const name of names) {
      if (earlier.includes(name))
        throw fault([...path, path.length === 0 ? 'uplink' : 'device'], name, 'it is an uplink already');
      earlier.push(name);
    }
  const both = firewall.inside.find(name => earlier.includes(name));
  if (both !== undefined) throw fault(['firewall', 'inside'], both, 'it is an uplink');
}

function readToml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [, why = ''] = error.message.split('\n')[0]?.split(': ') ?? [];
    throw new Refusal(`Cannot use ${file}, line ${error.line}: ${why}`);
  }
}

/** What is wrong with which key, and with which of its values. */
interface Fault {
  readonly path: readonly string[];
  readonly value: string | undefined;
  readonly why: string;
}

function faultOf(issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): Fault {
  // A misspelt key gives two issues, an unknown key and a missing one: the first says more.
  const unknown = issues.find(({ type, expected }) => type === 'strict_object' && expected === 'never');
  const { path = [], input, type, received, message } = unknown ?? issues[0];
  const missing = type === 'strict_object' && received === 'undefined';
  return {
    path: path.map(({ key }) => String(key)),
    value: typeof input === 'string' ? input : undefined,
    why: unknown !== undefined ? 'unknown key' : missing ? 'the key is missing' : message,
  };
}

function refusal(text: string, file: string, { path, value, why }: Fault): Refusal {
  const shown = value === undefined || why.includes(value) ? '' : `${quote(value)}: `;
  // A person counts no tables or elements.
  const key = path.filter(part => !/^\d+$/.test(part)).join('.');
  const where = `line ${lineOf(text, path, value)}, key "${key}"`;
  return new Refusal(`Cannot use ${file}, ${where}: ${shown}${why}`);
}

/**
 * The line of a key; if its value is an array of several lines, the line of the wrong element. The TOML parser gives no
 * positions, so we parse one line more at a time: the key's statement ends where the key first appears.
 */
function lineOf(text: string, path: readonly string[], value: string | undefined): number {
  const lines = text.split(/\r?\n/);
  let start = 0;
  for (let end = 1; end <= lines.length; end++) {
    // Inside a value of several lines only such a line can end it. This saves time when there are thousands of pools.
    if (end - start > 1 && !/[\]}]|"""|'''/.test(lines[end - 1] ?? '')) continue;
    const read = ifPossible(() => parse(lines.slice(0, end).join('\n')));
    if (read === undefined) continue;
    if (holds(read, path))
      return start + 1 + (value === undefined ? 0 : placeOf(value, lines.slice(start, end)));
    start = end;
  }
  // A missing key has no line; its table may have one.
  return path.length > 1 ? lineOf(text, path.slice(0, -1), undefined) : 1;
}

const holds = (value: unknown, [key, ...rest]: readonly string[]): boolean =>
  key === undefined ||
  (typeof value === 'object' &&
    value !== null &&
    Object.hasOwn(value, key) &&
    holds(Reflect.get(value, key), rest));

/** Which of a statement's lines holds a value; the first if none does. */
function placeOf(value: string, lines: readonly string[]): number {
  const texts = [`"${value}"`, `'${value}'`];
  const at = lines.findIndex(line => !/^\s*#/.test(line) && texts.some(text => line.includes(text)));
  return Math.max(0, at);
}
