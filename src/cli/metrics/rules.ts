import type { Host } from '../../host/host.ts';
import { look } from '../../host/observe/parts.ts';
import type { KnownDomain } from '../../libvirt/libvirt.ts';
import { firewallInForce } from '../../lifecycle/in-force.ts';
import type { Config } from '../../model/config.ts';
import type { Counter } from '../../model/counter.ts';
import { policyOf } from '../../model/domain.ts';
import { readAttachments } from '../../state/records.ts';
import { type CountedRule, countedPolicy } from '../views/rules.ts';
import type { Metric, Sample } from './exposition.ts';

/** What each rule of the running domains has matched. A domain without rules, which lets everything in, has none. */
export function ruleMetrics(domains: readonly KnownDomain[], config: Config, host: Host): Metric[] {
  const firewall = firewallInForce(config);
  const filter = look(host, firewall.looks.all);
  const attached = new Set(readAttachments().map(one => one.domain));
  const rows = domains
    .filter(({ domain, active }) => active && attached.has(domain.uuid))
    .flatMap(({ domain }) => {
      const policy = policyOf(domain);
      if (policy.rules.length === 0 && policy.inbound === 'allow') return [];
      const rules = countedPolicy(domain.uuid, policy, firewall, filter);
      return rules.map(row => ({ domain: domain.name, row }));
    });
  const ofUnit = (unit: keyof Counter, help: string): Metric => ({
    name: `hnet_rule_${unit}_total`,
    type: 'counter',
    help,
    samples: rows.flatMap(({ domain, row }): Sample[] => {
      const matched = row[unit];
      return matched === null ? [] : [[labelsOf(domain, row), matched]];
    }),
  });
  return [
    ofUnit('bytes', "Bytes that a domain's rule has matched since the domain started."),
    ofUnit('packets', "Packets that a domain's rule has matched since the domain started."),
  ];
}

/** The number too: nothing forbids the same rule twice. */
const labelsOf = (domain: string, { number, rule }: CountedRule) => ({
  domain,
  number: number === null ? 'default' : String(number),
  rule,
});
