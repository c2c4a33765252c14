import { apartOf } from '../../cluster/apart.ts';
import type { Context } from '../../host/context.ts';
import { pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { type Cell, table } from '../table.ts';
import { domainsShown } from '../views/domains.ts';
import type { Shown } from '../views/shapes.ts';

/** Shows every domain that has an assignment, or something of ours set up; or only the one named. */
export function status(name: string | undefined, context: Context): void {
  const all = withLibvirt(libvirt => libvirt.domains());
  const chosen = name === undefined ? all : [pick(all, name)];
  const domains = domainsShown(chosen, all, context.config(), context.host);
  context.answer({ domains });
  if (domains.length === 0)
    context.print('No domain has an address; hnet assign DOMAIN gives one the first that is free');
  else for (const line of render(domains, context.colour)) context.print(line);
  const { cluster } = context.config();
  if (cluster !== undefined)
    for (const { what, why } of apartOf(cluster, context.host)) context.warn(`${what}: ${why}`);
}

function render(domains: readonly Shown[], colour: boolean): string[] {
  const cells = domains.flatMap(({ domain, state, policy, addresses, faults }) => {
    const begin: Cell[] = [domain, { text: state, colour: state === 'running' ? 'green' : 'dim' }];
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
  return table(['DOMAIN', 'STATE', 'ADDRESS', 'BRIDGE', 'LEASE', 'POLICY', 'HEALTH'], cells, colour);
}

function health(state: Shown['state'], faults: readonly string[]): Cell {
  const [first, ...more] = faults;
  if (first === undefined) return state === 'running' ? { text: 'ok', colour: 'green' } : '-';
  return { text: more.length === 0 ? first : `${first} (and ${more.length} more)`, colour: 'red' };
}
