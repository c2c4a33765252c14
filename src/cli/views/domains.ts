/** Domains with their addresses and their health. */

import { around, peerAddresses, peerGateways } from '../../cluster/around.ts';
import type { Context } from '../../host/context.ts';
import type { Host } from '../../host/host.ts';
import { observe, observeWithUplinks } from '../../host/observe/view.ts';
import type { KnownDomain } from '../../libvirt/libvirt.ts';
import { firewallInForce } from '../../lifecycle/in-force.ts';
import { format } from '../../model/address.ts';
import { addressState } from '../../model/address-state.ts';
import type { Address } from '../../model/bridge.ts';
import type { Config } from '../../model/config.ts';
import { addressesOf, type Domain, policyOf } from '../../model/domain.ts';
import type { MoveState } from '../../model/move.ts';
import { bounded, USUAL_MTU } from '../../model/mtu.ts';
import { contains, type Prefix } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';
import { policySummary } from '../../model/rule.ts';
import { interfacesOf, settingsOf } from '../../model/settings.ts';
import { dueHere } from '../../moves/due-here.ts';
import { basePlan } from '../../plan/plan.ts';
import { check } from '../../plan/walker.ts';
import { type Health, healthOfAll, type Sight } from '../../repair/health.ts';
import { isWrong } from '../../resources/resource.ts';
import { leaseOf, readLeases } from '../../state/leases.ts';
import type { Other, Shown, ShownAddress } from './shapes.ts';

/**
 * Every one of some domains that has an assignment, or something of ours set up.
 * @param all every domain of the host: each should have its addresses where it is looked for them
 */
export function domainsShown(
  chosen: readonly KnownDomain[],
  all: readonly KnownDomain[],
  config: Config,
  host: Host,
): Shown[] {
  const places = all.flatMap(({ domain }) => addressesOf(domain).map(({ prefix }) => prefix));
  const found = healthOfAll(chosen, lookAround(config, places, host), host);
  return chosen.flatMap(known => shownOf(known, found.get(known.domain.uuid)));
}

/** Those of some domains that run; nothing is looked at where none does. */
export function runningShown(
  some: readonly KnownDomain[],
  { config, host }: Pick<Context, 'config' | 'host'>,
): Shown[] {
  const running = some.filter(({ active }) => active);
  return running.length === 0 ? [] : domainsShown(running, running, config(), host);
}

/** Those of all domains that aren't among the shown ones. */
export function othersThan(shown: readonly Shown[], all: readonly KnownDomain[]): Other[] {
  const known = new Set(shown.map(({ uuid }) => uuid));
  return all
    .filter(({ domain }) => !known.has(domain.uuid))
    .map(({ domain, active }) => ({
      domain: domain.name,
      uuid: domain.uuid,
      state: active ? 'running' : 'stopped',
      interfaces: interfacesOf(domain),
    }));
}

/** It shows domains also on a host that has lost its default route. */
function lookAround(config: Config, places: readonly Prefix[], host: Host): Sight {
  const firewall = firewallInForce(config);
  const means = { config, dhcp: config.dhcp, firewall, others: peerAddresses(config), due: dueHere(config) };
  try {
    const { view, uplinks } = observeWithUplinks(host, firewall, config, places);
    const base = check(basePlan(config, uplinks, firewall), view).filter(isWrong);
    return { ...means, view, uplinks, base, ...around(config, uplinks) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // What runs was made with what is noted.
    const gateway = config.inForce.find(one => one.host !== undefined)?.host;
    const mtu = config.mtu ?? bounded(config.inForce[0]?.mtu ?? USUAL_MTU);
    return {
      ...means,
      view: observe(host, firewall, places),
      uplinks: error,
      base: [],
      gateway,
      peers: peerGateways(config),
      mtuFor: () => mtu,
    };
  }
}

/** None for a domain that has nothing of ours. */
function shownOf({ domain, next, active }: KnownDomain, health: Health | undefined): Shown[] {
  const base = {
    domain: domain.name,
    uuid: domain.uuid,
    state: stateOf(active, health?.attachment?.state),
    policy: policySummary(policyOf(domain)),
    ...settingsOf(domain),
  } as const;
  const { intent } = domain;
  const alone = (fault: string): Shown[] => [{ ...base, addresses: [], faults: [fault] }];
  if (intent.kind === 'malformed') return alone(`metadata: ${intent.why}`);
  const held = health?.attachment?.addresses ?? addressesOf(next);
  if (held.length === 0)
    return intent.kind === 'assigned' ? alone("a clone: its metadata is another domain's") : [];
  const faults = health?.faults ?? [];
  const addresses = held.map(address => ({
    ...addressCells(address, domain, active),
    faults: faults
      .filter(({ addresses: all }) => all === undefined || all.some(one => contains(address.prefix, one)))
      .map(({ what }) => what),
  }));
  return [{ ...base, addresses, faults: faults.map(({ what }) => what) }];
}

/** What has arrived is here. */
function stateOf(active: boolean, way: MoveState | undefined): Shown['state'] {
  if (!active) return 'stopped';
  return way === undefined || way === 'arrived' ? 'running' : way;
}

function addressCells(address: Address, { nics }: Domain, active: boolean): Omit<ShownAddress, 'faults'> {
  const { prefix, bridge } = address;
  const macs = nics.filter(({ source }) => source === bridge).map(({ mac }) => mac);
  // The lease file also has former leases, and those of the domain that had the bridge before.
  const lease = active ? leaseOf(prefix, macs, readLeases(bridge)) : undefined;
  return { ...addressState(address), lease: lease === undefined ? null : format(lease.address) };
}
