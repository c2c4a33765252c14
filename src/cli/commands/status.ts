import type { Context } from '../../host/context.ts';
import type { Host } from '../../host/host.ts';
import { observe, observeWithUplinks } from '../../host/observe/view.ts';
import { type KnownDomain, pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { firewallInForce } from '../../lifecycle/in-force.ts';
import { format } from '../../model/address.ts';
import type { Address } from '../../model/bridge.ts';
import type { Config } from '../../model/config.ts';
import { addressesOf, type Domain, policyOf } from '../../model/domain.ts';
import { readableJson } from '../../model/json.ts';
import { bounded, USUAL_MTU } from '../../model/mtu.ts';
import { contains, type Prefix } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';
import { policySummary } from '../../model/rule.ts';
import { surroundings } from '../../model/uplink.ts';
import { type Health, healthOfAll, type Sight } from '../../repair/health.ts';
import { leaseOf, readLeases } from '../../state/leases.ts';
import { type Cell, table } from '../table.ts';

/** One address of one domain, as `status --json` prints it. */
interface Row {
  readonly domain: string;
  readonly uuid: string;
  readonly state: 'running' | 'stopped';
  readonly address: string | null;
  readonly bridge: string | null;
  readonly scope: string | null;
  readonly lease: string | null;
  /** `open`, or what its rules close. */
  readonly policy: string;
  readonly faults: readonly string[];
}

/** Shows every domain that has an assignment, or something of ours set up; or only the one named. */
export function status(name: string | undefined, options: { json?: boolean }, context: Context): void {
  const config = context.config();
  const all = withLibvirt(libvirt => libvirt.domains());
  const places = all.flatMap(({ domain }) => addressesOf(domain).map(({ prefix }) => prefix));
  const chosen = name === undefined ? all : [pick(all, name)];
  const found = healthOfAll(chosen, lookAround(config, places, context.host), context.host);
  const rows = chosen.flatMap(known => toRows(known, found.get(known.domain.uuid)));
  if (options.json) context.print(readableJson(rows));
  else if (rows.length === 0)
    context.print('No domain has an address; hnet assign DOMAIN gives one the first that is free');
  else for (const line of render(rows, context.colour)) context.print(line);
}

/** It shows domains also on a host that has lost its default route. */
function lookAround(config: Config, places: readonly Prefix[], host: Host): Sight {
  const firewall = firewallInForce(config);
  const means = { dhcp: config.dhcp, firewall };
  try {
    const { view, uplinks } = observeWithUplinks(host, firewall, config, places);
    return { ...means, view, uplinks, ...surroundings(config, uplinks) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // What runs was made with what is noted.
    const gateway = config.inForce.find(one => one.host !== undefined)?.host;
    const mtu = config.mtu ?? bounded(config.inForce[0]?.mtu ?? USUAL_MTU);
    return {
      ...means,
      view: observe(host, firewall, places),
      uplinks: error,
      gateway,
      mtuFor: () => mtu,
    };
  }
}

function toRows({ domain, next, active }: KnownDomain, health: Health | undefined): Row[] {
  const base = {
    domain: domain.name,
    uuid: domain.uuid,
    state: active ? 'running' : 'stopped',
    policy: policySummary(policyOf(domain)),
  } as const;
  const nothing = { ...base, address: null, bridge: null, scope: null, lease: null };
  const { intent } = domain;
  if (intent.kind === 'malformed') return [{ ...nothing, faults: [`metadata: ${intent.why}`] }];
  const addresses = health?.attachment?.addresses ?? addressesOf(next);
  if (intent.kind === 'assigned' && addresses.length === 0) {
    return [{ ...nothing, faults: ["a clone: its metadata is another domain's"] }];
  }
  return addresses.map(address => ({
    ...base,
    ...addressCells(address, domain, active),
    faults: (health?.faults ?? [])
      .filter(one => one.address === undefined || contains(address.prefix, one.address))
      .map(({ what }) => what),
  }));
}

function addressCells(
  { prefix, bridge, scope }: Address,
  { nics }: Domain,
  active: boolean,
): Pick<Row, 'address' | 'bridge' | 'scope' | 'lease'> {
  const macs = nics.filter(({ source }) => source === bridge).map(({ mac }) => mac);
  // The lease file also has former leases, and those of the domain that had the bridge before.
  const lease = active ? leaseOf(prefix, macs, readLeases(bridge)) : undefined;
  const leased = lease === undefined ? null : format(lease.address);
  return { address: format(prefix), bridge, scope: format(scope), lease: leased };
}

function render(rows: readonly Row[], colour: boolean): string[] {
  const cells = rows.map(({ domain, state, address, bridge, lease, policy, faults }): Cell[] => [
    domain,
    { text: state, colour: state === 'running' ? 'green' : 'dim' },
    address ?? '-',
    bridge ?? '-',
    lease ?? '-',
    policy,
    health(state, faults),
  ]);
  return table(['DOMAIN', 'STATE', 'ADDRESS', 'BRIDGE', 'LEASE', 'POLICY', 'HEALTH'], cells, colour);
}

function health(state: Row['state'], faults: readonly string[]): Cell {
  const [first, ...more] = faults;
  if (first === undefined) return state === 'running' ? { text: 'ok', colour: 'green' } : '-';
  return { text: more.length === 0 ? first : `${first} (and ${more.length} more)`, colour: 'red' };
}
