import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { describe as describeAction } from '../../src/action.ts';
import { parsePrefix } from '../../src/address.ts';
import { printResources } from '../../src/commands/plan.ts';
import { parseConfig } from '../../src/config.ts';
import type { Firewall } from '../../src/firewall/firewall.ts';
import { iptables } from '../../src/firewall/iptables.ts';
import { nftables } from '../../src/firewall/nftables.ts';
import { OPEN } from '../../src/firewall/policy.ts';
import { Host } from '../../src/host.ts';
import type { Address } from '../../src/metadata.ts';
import { articleScope, bridgeNames } from '../../src/names.ts';
import { basePlan, domainPlan } from '../../src/plan.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { EMPTY_VIEW } from '../../src/view.ts';

/**
 * Plans as text: what a start runs, command by command, beside this file in *.txt. After a change that is meant,
 * `HNET_WRITE_GOLDEN=1 test/run golden` writes them anew; then read the difference as you would read code.
 */
const REWRITE = process.env['HNET_WRITE_GOLDEN'] === '1';
const DOMAIN = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';
const UPLINK = { device: 'eth0', host: parsePrefix('123.45.12.48'), gateway: parsePrefix('123.45.12.1') };
const CONFIG =
  'pools = ["123.45.90.112/29", "123.45.53.12"]\n[dhcp]\ndns = ["213.133.98.98", "213.133.99.99"]\n';

const plans: Readonly<Record<string, string>> = {
  'one-address': up(domain([at('123.45.90.116')])),
  'one-address-nftables': up(domain([at('123.45.90.116')], nftables)),
  'two-addresses-one-bridge': up(
    domain([at('123.45.90.116'), { ...at('123.45.53.12'), ...shared('123.45.90.116') }]),
  ),
  'two-addresses-two-bridges': up(domain([at('123.45.90.116'), at('123.45.53.12')])),
  'same-last-octet-pinned': up(domain([pinned('123.45.90.12', 'br90-12', '172.30.0.0/24')])),
  'small-scope': up(domain([pinned('123.45.90.116', 'br116', '172.30.255.16/28')])),
  subnet: up(domain([pinned('123.45.90.112/30', 'br112', '172.30.112.0/24')])),
  stop: down(domain([at('123.45.90.116')])),
  base: up(base('')),
  'base-nftables': up(base('', nftables)),
  'base-domains-apart': up(base('[firewall]\nbetween_domains = false\n')),
};

describe('plans', () => {
  for (const [name, text] of Object.entries(plans)) {
    it(name, () => {
      const file = fileURLToPath(new URL(`${name}.txt`, import.meta.url));
      if (REWRITE) writeFileSync(file, text);
      expect(existsSync(file), `${file} is there; HNET_WRITE_GOLDEN=1 writes it`).to.equal(true);
      expect(text).to.equal(readFileSync(file, 'utf8'));
    });
  }
});

function at(ip: string): Address {
  const prefix = parsePrefix(ip);
  return { prefix, bridge: bridgeNames(prefix)[0] ?? '', scope: articleScope(prefix) };
}

function pinned(ip: string, bridge: string, scope: string): Address {
  return { prefix: parsePrefix(ip), bridge, scope: parsePrefix(scope) };
}

function shared(ip: string): Pick<Address, 'bridge' | 'scope'> {
  const { bridge, scope } = at(ip);
  return { bridge, scope };
}

function domain(addresses: readonly Address[], firewall: Firewall = iptables): Resource[] {
  return domainPlan({ domain: DOMAIN, addresses, policy: OPEN }, parseConfig(CONFIG).dhcp, firewall);
}

function base(more: string, firewall: Firewall = iptables): Resource[] {
  return basePlan(parseConfig(CONFIG + more), UPLINK, firewall);
}

/** As `hnet plan` prints it. */
function up(resources: readonly Resource[]): string {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const config = () => parseConfig(CONFIG);
  printResources(resources, EMPTY_VIEW, { print, warn: print, host: new Host(), config, colour: false });
  return withoutFingerprints(lines);
}

function down(resources: readonly Resource[]): string {
  const lines = resources
    .toReversed()
    .flatMap(one => [`# ${one.label}`, ...one.down(EMPTY_VIEW).map(describeAction)]);
  return withoutFingerprints(lines);
}

/** A fingerprint stands on many lines, and changes on all of them with each of the others. */
function withoutFingerprints(lines: readonly string[]): string {
  return `${lines.join('\n').replaceAll(/\bhnet:[0-9a-f]{8}\b/g, 'hnet:FINGERPRINT')}\n`;
}
