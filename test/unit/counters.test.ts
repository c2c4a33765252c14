import { expect } from 'chai';
import { dropsOfBudgets } from '../../src/firewall/nftables/budgets.ts';
import { countedRules, dropsByCause } from '../../src/firewall/rules/counters.ts';
import { back, CAUSES, drop, type Rule, rule } from '../../src/firewall/rules/rules.ts';
import { type Ruleset, ruleset } from '../../src/firewall/rules/ruleset.ts';
import { firewallOf } from '../../src/host/choose-backend.ts';
import { BACKENDS } from '../../src/model/config.ts';
import { DEFAULT_CONFIG } from '../../src/model/parse-config.ts';
import type { Family } from '../../src/model/prefix.ts';
import type { FilterView, RuleLine } from '../../src/model/view.ts';
import { UPLINK } from '../support/uplink.ts';

const lines = (...counts: number[]): RuleLine[] =>
  counts.map(count => ({ text: '', counter: { packets: BigInt(count), bytes: BigInt(count * 100) } }));
const view = (chains: [string, RuleLine[]][]): FilterView => ({ sets: new Map(), chains: new Map(chains) });
/** Three lines of iptables, one of nft. */
const RULES: Rule[] = [rule(back, { is: 'icmp-error' }), rule(drop('why')), rule(back)];

describe('the counters of a chain', () => {
  const count = (name: 'iptables' | 'nftables', key: string, counted: RuleLine[]) =>
    countedRules(
      'mangle',
      { name: 'hnet-x', rules: RULES },
      4,
      firewallOf(name, []),
      view([[key, counted]]),
    )?.map(({ counter }) => Number(counter.packets));

  it('belong to its rules, as many lines as each has', () => {
    expect(count('iptables', 'mangle hnet-x', lines(1, 2, 4, 8, 16, 0))).to.deep.equal([7, 8, 16]);
    expect(count('nftables', 'ip hnet-x', lines(1, 2, 4))).to.deep.equal([1, 2, 4]);
  });

  it('are zero where the chain is missing', () => {
    expect(count('iptables', 'raw hnet-x', lines(1, 2, 4, 8, 16))).to.deep.equal([0, 0, 0]);
  });

  it('are not known where a line is missing, or somebody has put one more there', () => {
    expect(count('iptables', 'mangle hnet-x', lines(1))).to.equal(undefined);
    expect(count('nftables', 'ip hnet-x', lines(9, 1, 2, 4))).to.equal(undefined);
  });
});

/** The chains of a ruleset in which something may be dropped. */
const tagged = ({ chains }: Ruleset) =>
  (['raw', 'mangle'] as const).flatMap(table => chains[table].map(chain => [table, chain] as const));

describe('drops by cause', () => {
  for (const firewall of BACKENDS.map(name => firewallOf(name, []))) {
    it(`are added up over tables and chains (${firewall.name})`, () => {
      const rules = ruleset(4, DEFAULT_CONFIG, [UPLINK], firewall.foresight);
      const all = tagged(rules).map(([table, chain]): [string, RuleLine[]] => [
        firewall.chainKey(table, chain.name, 4),
        lines(
          ...chain.rules.flatMap(one => Array(firewall.linesOf(one, 4)).fill(1)),
          ...Array(firewall.closingLines).fill(1),
        ),
      ]);
      const drops = dropsByCause(tagged(rules), 4, firewall, view(all));
      // At the reverse-path check, of a scope's broadcast address, and of 0/8 that isn't DHCP.
      expect(drops.get(CAUSES.spoofed)).to.deep.equal({ packets: 3n, bytes: 300n });
      expect(drops.get(CAUSES.unassigned)).to.deep.equal({ packets: 2n, bytes: 200n });
    });

    it(`name every cause that the configuration makes possible, with zero (${firewall.name})`, () => {
      const config = {
        ...DEFAULT_CONFIG,
        firewall: {
          ...DEFAULT_CONFIG.firewall,
          hostAccess: 'dhcp-only',
          outboundDeny: [{ protocol: 'tcp', ranges: [[25, 25]] }],
        },
      } as const;
      const causes = (family: Family, between: boolean) => {
        const rules = ruleset(
          family,
          { ...config, firewall: { ...config.firewall, betweenDomains: between } },
          [UPLINK],
          firewall.foresight,
        );
        const drops = dropsByCause(tagged(rules), family, firewall, view([]));
        for (const counter of drops.values()) expect(counter).to.deep.equal({ packets: 0n, bytes: 0n });
        return [...drops.keys()];
      };
      const named = new Set(([4, 6] as const).flatMap(one => [...causes(one, true), ...causes(one, false)]));
      // What the rules of a domain drop is counted with them.
      for (const cause of dropsOfBudgets(config, {}).keys()) named.add(cause);
      const missing = Object.values(CAUSES).filter(cause => !named.has(cause));
      expect(missing).to.deep.equal([CAUSES.policy]);
    });
  }
});
