/** The lines of `hnet monitor --json`, as docs/schema/monitor.json has them: of each what the page shows. */
import * as v from 'valibot';
import { Refusal, reason } from '../../../src/model/refusal.ts';

/** The version of the lines that this page reads. */
const VERSION = 1;

const counter = v.object({ packets: v.number(), bytes: v.number() });
const traffic = v.object({ in: counter, out: counter });
const { nullable } = v;
const text = v.string();

const address = v.object({
  address: text,
  bridge: text,
  scope: text,
  via: nullable(text),
  lease: nullable(text),
  faults: v.array(text),
});

const nic = v.object({ mac: text, type: text, source: nullable(text) });
/** The last two: on its way between hosts of a cluster. */
const state = v.picklist(['running', 'stopped', 'incoming', 'leaving']);

const domain = v.object({
  domain: text,
  uuid: text,
  state,
  policy: text,
  dhcp: nullable(text),
  default: text,
  isolate: v.boolean(),
  rules: v.array(text),
  forwards: v.array(text),
  interfaces: v.array(nic),
  addresses: v.array(address),
  faults: v.array(text),
});

const other = v.object({ domain: text, uuid: text, state, interfaces: v.array(nic) });

/** A domain of another host. */
const elsewhere = nullable(
  v.array(
    v.object({
      domain: text,
      uuid: text,
      host: nullable(text),
      state: v.picklist(['running', 'stopped']),
      /** The host to which it is on its way. */
      to: nullable(text),
      addresses: v.array(v.object({ address: text, bridge: text, scope: text })),
    }),
  ),
);

const keptBack = v.object({
  own: v.array(v.object({ address: text, interface: nullable(text), host: nullable(text) })),
  reservations: v.array(v.object({ address: text, name: nullable(text), since: text })),
});

const pool = v.object({
  pool: text,
  size: v.number(),
  free: v.number(),
  assigned: v.number(),
  up: v.number(),
  reserved: v.number(),
});

const fault = v.object({
  domain: nullable(text),
  uuid: nullable(text),
  what: text,
  is: text,
  why: text,
  mend: nullable(text),
});

const finding = v.object({ what: text, why: text, mend: text });

const host = v.object({
  versions: v.object({ hnet: text, libvirt: nullable(text), system: nullable(text) }),
  dhcp: text,
  backend: text,
  uplinks: v.array(
    v.object({
      device: text,
      addresses: v.array(text),
      gateways: v.array(text),
      mtu: v.number(),
      pools: v.array(text),
    }),
  ),
  cluster: v.optional(
    nullable(
      v.object({
        name: text,
        host: text,
        wire: text,
        peers: v.array(v.object({ host: text, addresses: v.array(text), isUp: v.boolean() })),
      }),
    ),
    null,
  ),
});

const counted = v.object({
  domain: text,
  uuid: text,
  address: text,
  sinceStart: traffic,
  total: traffic,
});

const countedRule = v.object({ number: nullable(v.number()), rule: text, ...counter.entries });
const countedDomain = v.object({
  uuid: text,
  rules: v.array(countedRule),
  dropped: v.record(text, counter),
});

const entry = v.object({
  at: text,
  is: text,
  domain: nullable(text),
  address: v.optional(text),
  what: v.optional(text),
  from: v.optional(nullable(v.object({ domain: text }))),
});

const LINES = v.variant('type', [
  v.object({
    type: v.literal('state'),
    host,
    domains: v.array(domain),
    others: v.array(other),
    elsewhere,
    keptBack,
    pools: v.array(pool),
    faults: v.array(fault),
    findings: v.array(finding),
  }),
  v.object({ type: v.literal('host'), host }),
  v.object({ type: v.literal('domain'), uuid: text, domain: nullable(domain) }),
  v.object({ type: v.literal('others'), others: v.array(other) }),
  v.object({ type: v.literal('elsewhere'), elsewhere }),
  v.object({ type: v.literal('keptBack'), keptBack }),
  v.object({ type: v.literal('pools'), pools: v.array(pool) }),
  v.object({ type: v.literal('faults'), faults: v.array(fault) }),
  v.object({ type: v.literal('findings'), findings: v.array(finding) }),
  v.object({ type: v.literal('happened'), entry }),
  v.object({
    type: v.literal('counters'),
    at: text,
    addresses: v.array(counted),
    domains: v.array(countedDomain),
    dropped: v.record(text, counter),
  }),
  v.object({ type: v.literal('error'), error: nullable(text) }),
]);

const HEAD = v.object({ version: v.number(), type: text });

export type Line = v.InferOutput<typeof LINES>;
export type HostShown = v.InferOutput<typeof host>;
export type DomainShown = v.InferOutput<typeof domain>;
export type AddressShown = v.InferOutput<typeof address>;
export type OtherShown = v.InferOutput<typeof other>;
export type ElsewhereShown = NonNullable<v.InferOutput<typeof elsewhere>>[number];
export type KeptBack = v.InferOutput<typeof keptBack>;
export type PoolShown = v.InferOutput<typeof pool>;
export type FaultShown = v.InferOutput<typeof fault>;
export type FindingShown = v.InferOutput<typeof finding>;
export type CountedShown = v.InferOutput<typeof counted>;
export type CountedDomain = v.InferOutput<typeof countedDomain>;
export type EntryShown = v.InferOutput<typeof entry>;
export type NicShown = v.InferOutput<typeof nic>;
export type Counter = v.InferOutput<typeof counter>;

/** Types that this page knows; a later hnet may tell more. */
const KNOWN: ReadonlySet<string> = new Set(LINES.options.map(({ entries }) => entries.type.literal));

/**
 * Reads a line; undefined for a type that this page doesn't know.
 * @throws Refusal for what is no such line, with the place, and for lines of another version
 */
export function readLine(line: string): Line | undefined {
  const value = parsed(line);
  const head = v.safeParse(HEAD, value);
  if (!head.success) throw refusalOf(head.issues[0]);
  const { version, type } = head.output;
  if (version !== VERSION)
    throw new Refusal(
      `Cannot follow hnet monitor: its lines have version ${version}, and this page reads ${VERSION}; install hnet and cockpit-hnet of one release`,
    );
  if (!KNOWN.has(type)) return undefined;
  const read = v.safeParse(LINES, value);
  if (!read.success) throw refusalOf(read.issues[0]);
  return read.output;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Refusal(`Cannot read a line of hnet monitor: ${reason(error)}`);
  }
}

const refusalOf = (issue: v.BaseIssue<unknown>): Refusal =>
  new Refusal(
    `Cannot read a line of hnet monitor: ${v.getDotPath(issue) ?? 'the line'}: ${issue.message}; install hnet and cockpit-hnet of one release`,
  );
