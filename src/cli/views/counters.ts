/** What was counted of each address, and what was dropped. */
import { countedOf } from '../../firewall/rules/counted.ts';
import { addUp, type Drops, ownDrops, sharedDrops, unclearChains } from '../../firewall/rules/drops.ts';
import type { Context } from '../../host/context.ts';
import { look } from '../../host/observe/parts.ts';
import { observeUplinks } from '../../host/observe/uplink.ts';
import type { KnownDomain } from '../../libvirt/libvirt.ts';
import { firewallInForce } from '../../lifecycle/in-force.ts';
import { format } from '../../model/address.ts';
import { type Address, publicOf } from '../../model/bridge.ts';
import type { Counter } from '../../model/counter.ts';
import { addressesOf, policyOf } from '../../model/domain.ts';
import { isTracked } from '../../model/policy.ts';
import { NO_TRAFFIC } from '../../model/traffic.ts';
import type { FilterView } from '../../model/view.ts';
import { readAccount, totalOf } from '../../state/ledger.ts';
import { readAttachments } from '../../state/records.ts';
import { type CountedRule, countedPolicy } from './rules.ts';
import type { Counted, CountedDomain } from './shapes.ts';

interface Counters {
  readonly addresses: readonly Counted[];
  /** Those of the domains that have rules. */
  readonly domains: readonly CountedDomain[];
  /** Of the whole host. */
  readonly drops: Drops;
  /** Chains that somebody has changed, so that what they dropped isn't in it. */
  readonly unclear: readonly string[];
}

/** The counters of some domains, and the drops of the whole host. */
export function countersOf(
  domains: readonly KnownDomain[],
  context: Pick<Context, 'host' | 'config'>,
): Counters {
  const config = context.config();
  const firewall = firewallInForce(config);
  const uplinks = observeUplinks(context.host, config);
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
      // Of a chain that somebody has changed nothing is known until it is repaired.
      if (!rules.every(isCounted)) return [];
      return [{ domain: name, uuid, rules, dropped: Object.fromEntries(drops) }];
    }),
    drops: addUp([sharedDrops(config, uplinks, firewall, filter), ...tracked.values()]),
    unclear: unclearChains(attachments, config, uplinks, firewall, filter),
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

const isCounted = (rule: CountedRule): rule is CountedRule & Counter => rule.packets !== null;
