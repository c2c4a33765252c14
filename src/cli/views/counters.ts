/** What was counted of each address, and what was dropped. */
import type { Firewall } from '../../firewall/rules/backend.ts';
import { countedOf } from '../../firewall/rules/counted.ts';
import { addUp, type Drops, ownDrops, sharedDrops } from '../../firewall/rules/drops.ts';
import type { Context } from '../../host/context.ts';
import { look } from '../../host/observe/parts.ts';
import { observeUplinks } from '../../host/observe/uplink.ts';
import type { KnownDomain } from '../../libvirt/libvirt.ts';
import { firewallInForce } from '../../lifecycle/in-force.ts';
import { format } from '../../model/address.ts';
import { type Address, publicOf } from '../../model/bridge.ts';
import { addressesOf, policyOf } from '../../model/domain.ts';
import { isTracked } from '../../model/policy.ts';
import { NO_TRAFFIC } from '../../model/traffic.ts';
import type { FilterView } from '../../model/view.ts';
import { readAccount, totalOf } from '../../state/ledger.ts';
import { readAttachments } from '../../state/records.ts';
import { countedPolicy } from './rules.ts';
import type { Counted, CountedDomain } from './shapes.ts';

interface Counters {
  readonly addresses: readonly Counted[];
  /** Those of the domains that have rules. */
  readonly domains: readonly CountedDomain[];
  /** Of the whole host. */
  readonly drops: Drops;
}

/** The counters of some domains, and the drops of the whole host. */
export function countersOf(
  domains: readonly KnownDomain[],
  context: Pick<Context, 'host' | 'config'>,
): Counters {
  const firewall = firewallInForce(context.config());
  const filter = look(context.host, firewall.looks.all);
  const attachments = readAttachments();
  const attached = new Map(attachments.map(({ domain, addresses }) => [domain, addresses]));
  const tracked = new Map(
    attachments
      .filter(({ policy }) => isTracked(policy))
      .map(one => [one.domain, ownDrops(one, firewall, filter)]),
  );
  return {
    addresses: domains.flatMap(known => rowsOf(known, filter, attached.get(known.domain.uuid))),
    domains: domains.flatMap(({ domain }) => {
      const { name, uuid } = domain;
      const drops = tracked.get(uuid);
      if (drops === undefined) return [];
      const rules = countedPolicy(uuid, policyOf(domain), firewall, filter);
      return [{ domain: name, uuid, rules, dropped: Object.fromEntries(drops) }];
    }),
    drops: addUp([sharedDropsOf(firewall, filter, context), ...tracked.values()]),
  };
}

function rowsOf({ domain, next }: KnownDomain, filter: FilterView, attached?: readonly Address[]): Counted[] {
  // What a private address sends isn't counted: it leaves under the host's.
  return publicOf(attached ?? addressesOf(next)).map(prefix => {
    const counted = countedOf(prefix, filter);
    const account = readAccount(prefix);
    const own = account?.domain === domain.uuid ? account : undefined;
    const total = totalOf(own, counted);
    return {
      domain: domain.name,
      uuid: domain.uuid,
      address: format(prefix),
      sinceStart: counted ?? NO_TRAFFIC,
      total,
    };
  });
}

const sharedDropsOf = (
  firewall: Firewall,
  filter: FilterView,
  { host, config }: Pick<Context, 'host' | 'config'>,
): Drops => sharedDrops(config(), observeUplinks(host, config()), firewall, filter);
