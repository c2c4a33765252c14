import { seenElsewhere } from '../../assign/elsewhere.ts';
import { examine } from '../../doctor/examine.ts';
import { type Facts, knownValue } from '../../doctor/facts.ts';
import { gather } from '../../doctor/gather.ts';
import type { Context } from '../../host/context.ts';
import { addressesOf } from '../../model/domain.ts';
import { outside, poolUses, versionsOf } from '../views/host.ts';
import { poolTable } from '../views/pools.ts';
import type { ShownPool } from '../views/shapes.ts';

/** What a report of a bug needs: versions, filter, uplinks, pools, and what is wrong with the host. What can't be read is missing. */
export function info(context: Context): void {
  const facts = gather(context.host);
  const versions = versionsOf(context.host);
  const config = knownValue(facts.config);
  const uplinks = knownValue(facts.uplinks);
  const known =
    config === undefined || uplinks === undefined ? { backend: null, uplinks: [] } : outside(config, uplinks);
  const pools = poolsOf(facts, context);
  const domains = domainsOf(facts);
  const findings = examine(facts);
  context.answer({ versions, ...known, pools, domains, findings });
  for (const [name, value] of rows({ versions, ...known })) context.print(`${name.padEnd(WIDTH)}${value}`);
  context.print(`${'domains'.padEnd(WIDTH)}${domainsText(domains)}`);
  if (pools.length > 0) for (const line of ['', ...poolTable(pools, context.colour)]) context.print(line);
  context.print('');
  context.print(findings.length === 0 ? 'This host is fit' : 'hnet doctor says more about what was found:');
  for (const { what } of findings) context.print(`- ${what}`);
}

const WIDTH = 14;

/** Undefined where libvirt doesn't answer. */
function domainsOf({ domains }: Facts) {
  const all = knownValue(domains);
  if (all === undefined) return null;
  const own = all.filter(({ next }) => addressesOf(next).length > 0);
  return { all: all.length, withAddresses: own.length, running: own.filter(({ active }) => active).length };
}

const domainsText = (domains: ReturnType<typeof domainsOf>): string =>
  domains === null
    ? 'unknown: libvirt does not answer'
    : `${domains.all}, of which ${domains.withAddresses} have addresses, and ${domains.running} of those run`;

function poolsOf({ config, domains, uplinks, network }: Facts, context: Context): ShownPool[] {
  const [given, known, ways] = [knownValue(config), knownValue(domains), knownValue(uplinks)];
  return given === undefined || known === undefined || ways === undefined
    ? []
    : poolUses(given, known, { view: network, uplinks: ways }, seenElsewhere(context)).pools;
}

/** Names and values, those of an object within an object too. */
const rows = (value: object): [string, string][] =>
  Object.entries(value).flatMap(([name, one]: [string, unknown]): [string, string][] => {
    if (Array.isArray(one)) return one.map(each => [name.replace(/s$/, ''), inWords(each)]);
    if (typeof one === 'object' && one !== null) return rows(one);
    return [[name, one === null ? '-' : String(one)]];
  });

/** An uplink in one line: `device=eth0 addresses=…`. */
const inWords = (value: object): string =>
  Object.entries(value)
    .map(([key, one]: [string, unknown]) => `${key}=${textOf(one)}`)
    .join(' ');

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',') || '-';
  return typeof value === 'object' && value !== null ? Object.values(value).join('/') : String(value);
}
