import { existsSync } from 'node:fs';
import { hasPassages } from '../../firewall/foreign/passages.ts';
import type { Firewall } from '../../firewall/rules/backend.ts';
import { EVERY_FAMILY, firewallOf, isInstalled, otherThan } from '../../host/choose-backend.ts';
import type { Context } from '../../host/context.ts';
import { readIfThere, readShortIfThere } from '../../host/files.ts';
import type { Host } from '../../host/host.ts';
import { withLock } from '../../host/lock.ts';
import { stands } from '../../host/observe/parts.ts';
import { observeUplinks } from '../../host/observe/uplink.ts';
import { observe } from '../../host/observe/view.ts';
import { bringUpBase } from '../../lifecycle/admit.ts';
import { firewallInForce } from '../../lifecycle/in-force.ts';
import { parseAddress } from '../../model/address.ts';
import { BACKENDS, type Backend, type Config } from '../../model/config.ts';
import { USUAL_MTU } from '../../model/mtu.ts';
import { CONFIG_FILE, PROVEN_FILE, UPLINK_FILE } from '../../model/names.ts';
import { DEFAULT_CONFIG } from '../../model/parse-config.ts';
import { Refusal, reason } from '../../model/refusal.ts';
import { hostIn, readUplinkText, type Uplinks } from '../../model/uplink.ts';
import type { Route, View } from '../../model/view.ts';
import { basePlan, baseRoutes } from '../../plan/plan.ts';
import { type Checked, check, down } from '../../plan/walker.ts';
import { refusalFor } from '../../repair/visitors.ts';
import { leavingBridges } from '../../resources/bridge.ts';
import { proxying } from '../../resources/forwarding.ts';
import { isWrong, type Resource, whyOf } from '../../resources/resource.ts';
import { isPoolRoute, ownRoute } from '../../resources/route.ts';
import { attachedDomains } from '../../state/attachment-files.ts';
import { forgetProven, noteProven, readConfigText } from '../../state/config-file.ts';
import { pinUplink } from '../../state/pin-uplink.ts';

/** Brings up the base, which every domain needs: forwarding, sets, chains, the pools' routes. Run at boot. */
export function baseUp(context: Context): void {
  const config = context.config();
  withLock('claims', 'exclusive', context.host, () => {
    const uplinks = observeUplinks(context.host, config);
    // At a boot nobody is connected yet.
    const refusal =
      readIfThere(PROVEN_FILE) === readConfigText() ? undefined : refusalFor(context.host, config);
    if (refusal !== undefined) throw refusal;
    const raised = bringUpWhatWorks(config, uplinks, context);
    const { view, done } = raised;
    tellBroughtUp(raised, context);
    if (done.some(({ resource }) => resource.key === 'uplink file'))
      for (const line of lacking(uplinks)) context.print(line);
    const kept = new Set(baseRoutes(config, uplinks).map(({ key }) => key));
    pin(config, uplinks, context);
    // At boot it is the first one, and there is none to go back to. By now the uplink is written into it.
    if (!existsSync(PROVEN_FILE)) noteProven(readConfigText());
    const stale = routesOf(view, isPoolRoute).filter(({ key }) => !kept.has(key));
    const failures = down(stale, view, context.host);
    if (failures.length > 0) throw new Refusal(failures.join('; '));
    for (const { label } of stale) context.print(`removed: ${label}`);
  });
}

/** A command that succeeds may have done nothing: so the host is looked at once more. */
function tellBroughtUp({ done, firewall }: Raised, { host, print, warn }: Context): void {
  if (done.length === 0) return;
  const view = observe(host, firewall);
  const seen = check(
    done.map(({ resource }) => resource),
    view,
  );
  for (const one of seen) {
    const { label } = one.resource;
    if (isWrong(one))
      warn(`Cannot bring up ${label}: no command failed, and ${whyOf(one.finding)}; see hnet --trace sync`);
    else print(`brought up: ${label}`);
  }
}

/** The base with the host around it, as it was before. */
interface Raised {
  /** The filter that it was made with. */
  readonly firewall: Firewall;
  readonly view: View;
  readonly done: readonly Checked[];
}

/**
 * Whether a filter works is found out by making it: the kernel may lack a part of what a tool can say. Then the other one is
 * made, if that is left to hnet, nothing of the first stands, and no domain runs with it.
 */
function bringUpWhatWorks(config: Config, uplinks: Uplinks, { host, warn }: Context): Raised {
  const bringUp = (firewall: Firewall): Raised => {
    const view = observe(host, firewall);
    return { firewall, view, done: bringUpBase(config, uplinks, firewall, view, host) };
  };
  const first = firewallInForce(config);
  try {
    return bringUp(first);
  } catch (error) {
    const other = otherThan(first, config);
    const isInUse = [...attachedDomains()].length > 0;
    if (!(error instanceof Refusal) || other === undefined || isInUse || !isRemoved(first, host)) throw error;
    const raised = unlessRefused(() => bringUp(other));
    if (raised === undefined) throw error;
    warn(`${first.name} doesn't work on this host (${reason(error)}): the filter is made with ${other.name}`);
    return raised;
  }
}

/** Takes down what there is of a filter that came up in part. @returns whether nothing of it stands */
function isRemoved(firewall: Firewall, host: Host): boolean {
  unlessRefused(() => removeFilter(firewall.name, host));
  return !stands(firewall, host);
}

function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** What VMs go without, by what is known of the uplink. */
function lacking(uplinks: Uplinks): string[] {
  const [{ device, awaited }] = uplinks;
  if (awaited) return [`nothing leads to the Internet yet: VMs start, and wait for a route out of ${device}`];
  return hostIn(uplinks) === undefined
    ? ['this host has no IPv4 towards the Internet: VMs get no IPv4 lease']
    : [];
}

/**
 * Writes the uplink into the configuration when the base comes up first: a better default route, of a VPN say, must not
 * move the filter. Without it the base is up all the same.
 */
function pin({ uplinks: [{ devices }] }: Config, uplinks: Uplinks, { print, warn }: Context): void {
  if (devices.length > 0) return;
  const main = uplinks.filter(({ way }) => way === 0).map(({ device }) => device);
  try {
    print(`wrote ${pinUplink(main)} into ${CONFIG_FILE}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    warn(reason(error));
  }
}

/** Removes the base, for uninstalling: what is there, as the configuration may be broken or have changed. */
export function baseDown({ host }: Context): void {
  withLock('sync', 'exclusive', host, () => {
    const failures = BACKENDS.filter(name => canStand(name, host)).flatMap(name => failuresOf(name, host));
    forgetProven();
    if (failures.length > 0) throw new Refusal(failures.join('; '));
  });
}

/** A filter that needs a tool which isn't installed isn't there, unless something of it is seen: the tool is gone since. */
const canStand = (name: Backend, host: Host): boolean =>
  isInstalled(name) || stands(firewallOf(name, EVERY_FAMILY), host);

/** One filter that can't be read keeps no other from being removed. */
function failuresOf(name: Backend, host: Host): string[] {
  try {
    return removeFilter(name, host);
  } catch (error) {
    if (error instanceof Refusal) return [reason(error)];
    throw error;
  }
}

/** With one backend's filter goes all else that outlives domains. @returns what couldn't be removed, and why */
function removeFilter(name: Backend, host: Host): string[] {
  const firewall = firewallOf(name, EVERY_FAMILY);
  const view = observe(host, firewall);
  const { sets, budgets } = view.filter;
  const isThere = sets.size > 0 || hasPassages(view) || (budgets?.size ?? 0) > 0;
  const base = isThere ? basePlan(DEFAULT_CONFIG, NO_UPLINKS, firewall) : [];
  const standing = readUplinkText(readShortIfThere(UPLINK_FILE) ?? '');
  const proxies = standing.map(({ device }) => proxying(4, device));
  return down([...leavingBridges(view), ...base, ...proxies, ...routesOf(view)], view, host);
}

/** Removing needs no uplink, and covers both families. */
const NO_UPLINKS: Uplinks = [
  {
    device: 'none',
    host: parseAddress('0.0.0.0'),
    gateway: undefined,
    host6: [],
    gateway6: undefined,
    mtu: USUAL_MTU,
    pools: [],
    delivery: { 4: 'routed', 6: 'routed' },
    way: 0,
    bypassed: [],
  },
];

/** Our routes that are there, whatever the pools and the gateway are now. */
const routesOf = ({ routes }: View, which: (route: Route) => boolean = () => true): Resource[] =>
  [...routes.values()].filter(which).flatMap(one => ownRoute(one) ?? []);
