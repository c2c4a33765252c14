import { hostname } from 'node:os';
import { domainsElsewhere, type Elsewhere, seenElsewhere } from '../../assign/elsewhere.ts';
import { apartOf } from '../../cluster/apart.ts';
import { ownName } from '../../cluster/self.ts';
import type { Context } from '../../host/context.ts';
import { pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { UsageRefusal } from '../../model/refusal.ts';
import { type Cell, table } from '../table.ts';
import { domainsShown } from '../views/domains.ts';
import type { Shown } from '../views/shapes.ts';

interface StatusOptions {
  /** Those of the cluster's other hosts too. */
  readonly all?: boolean;
}

/** Shows every domain that has an assignment, or something of ours set up; or only the one named. */
export function status(name: string | undefined, options: StatusOptions, context: Context): void {
  if (options.all && name !== undefined)
    throw new UsageRefusal('Cannot use --all with a domain: it means those of all hosts of the cluster');
  const all = withLibvirt(libvirt => libvirt.domains());
  const chosen = name === undefined ? all : [pick(all, name)];
  const domains = domainsShown(chosen, all, context.config(), context.host);
  const elsewhere = options.all ? (domainsElsewhere(seenElsewhere(context), all, context) ?? []) : null;
  context.answer({ domains, elsewhere });
  const { cluster } = context.config();
  for (const { what, why } of apartOf({ cluster }, context.host)) context.warn(`${what}: ${why}`);
  if (domains.length + (elsewhere?.length ?? 0) === 0) {
    context.print('No domain has an address; hnet assign DOMAIN gives one the first that is free');
    return;
  }
  const self = elsewhere === null ? undefined : cluster === undefined ? hostname() : ownName(cluster);
  for (const line of render(domains, elsewhere ?? [], self, context.colour)) context.print(line);
}

/** @param self what this host is called; undefined: in no column */
function render(
  domains: readonly Shown[],
  elsewhere: readonly Elsewhere[],
  self: string | undefined,
  colour: boolean,
): string[] {
  const here = domains.flatMap(({ domain, state, policy, addresses, faults }) => {
    const begin: Cell[] = [domain, { text: state, colour: state === 'running' ? 'green' : 'dim' }];
    if (self !== undefined) begin.push(self);
    if (addresses.length === 0) return [[...begin, '-', '-', '-', policy, health(state, faults)]];
    return addresses.map(one => [
      ...begin,
      one.address,
      one.bridge,
      one.lease ?? '-',
      policy,
      health(state, one.faults),
    ]);
  });
  const there = elsewhere.flatMap(({ domain, state, host, to, addresses }) =>
    addresses.map((one): Cell[] => [
      domain,
      { text: state, colour: 'dim' },
      to === null ? (host ?? 'no host') : `${host}, to ${to}`,
      one.address,
      one.bridge,
      '-',
      '-',
      '-',
    ]),
  );
  const head = ['DOMAIN', 'STATE', ...(self === undefined ? [] : ['HOST']), 'ADDRESS', 'BRIDGE'];
  return table([...head, 'LEASE', 'POLICY', 'HEALTH'], [...here, ...there], colour);
}

function health(state: Shown['state'], faults: readonly string[]): Cell {
  const [first, ...more] = faults;
  if (first === undefined) return state === 'running' ? { text: 'ok', colour: 'green' } : '-';
  return { text: more.length === 0 ? first : `${first} (and ${more.length} more)`, colour: 'red' };
}
