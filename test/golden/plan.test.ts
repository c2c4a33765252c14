import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { printResources } from '../../src/cli/commands/plan.ts';
import type { Firewall } from '../../src/firewall/rules/backend.ts';
import { firewallFor, firewallOf } from '../../src/host/choose-backend.ts';
import { releaseScript } from '../../src/lifecycle/release-script.ts';
import { parseAddress, parsePrefix } from '../../src/model/address.ts';
import type { Address } from '../../src/model/bridge.ts';
import { bridgeNames } from '../../src/model/bridge-names.ts';
import { articleScope } from '../../src/model/names.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { OPEN } from '../../src/model/policy.ts';
import { EMPTY_VIEW } from '../../src/model/view.ts';
import { basePlan, domainPlan, type Wanted } from '../../src/plan/plan.ts';
import { describe as describeAction } from '../../src/resources/action.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { uplinksFor } from '../support/uplink.ts';

/**
 * Plans as text: what a start runs, command by command, beside this file in *.txt. After a change that is meant,
 * `HNET_WRITE_GOLDEN=1 test/run golden` writes them anew; then read the difference as you would read code.
 */
const REWRITE = process.env['HNET_WRITE_GOLDEN'] === '1';
const DOMAIN = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';
const CONFIG =
  'pools = ["123.45.90.112/29", "123.45.53.12"]\n[dhcp]\ndns = ["213.133.98.98", "213.133.99.99"]\n';

const CONFIG6 =
  'pools = ["123.45.90.112/29", "2001:db8:12:48::/64", "2001:db8:12:4900::/56"]\n[dhcp]\ndns = ["213.133.98.98", "2001:db8:53::53"]\n';
const CLUSTER =
  '[cluster]\nname = "fra"\nhost = "h1"\ninterface = "eth0.4000"\netcd = ["http://10.9.0.1:2379"]\nannounce = "bgp"\n';
const BOTH = [at('123.45.90.116'), { ...at('2001:db8:12:48::116'), ...shared('123.45.90.116') }];
const MAC = '52:54:00:12:34:56';

const plans: Readonly<Record<string, string>> = {
  'one-address': up(domain([at('123.45.90.116')])),
  'one-address-nftables': up(domain([at('123.45.90.116')], 'nftables')),
  'two-addresses-one-bridge': up(
    domain([at('123.45.90.116'), { ...at('123.45.53.12'), ...shared('123.45.90.116') }]),
  ),
  'two-addresses-two-bridges': up(domain([at('123.45.90.116'), at('123.45.53.12')])),
  'same-last-octet-pinned': up(domain([pinned('123.45.90.12', 'br90-12', '172.30.0.0/24')])),
  'small-scope': up(domain([pinned('123.45.90.116', 'br116', '172.30.255.16/28')])),
  subnet: up(domain([pinned('123.45.90.112/30', 'br112', '172.30.112.0/24')])),
  stop: down(domain([at('123.45.90.116')])),
  'stop-script': script([at('123.45.90.116')]),
  'stop-script-both-families-nftables': script(BOTH, 'nftables'),
  base: up(base('')),
  'base-nftables': up(base('', 'nftables')),
  'both-families': up(domain(BOTH, 'iptables', CONFIG6)),
  'both-families-nftables': up(domain(BOTH, 'nftables', CONFIG6)),
  'ipv6-public-lease': up(
    domain(BOTH, 'iptables', CONFIG6, { dhcp: 'public', macs: new Map([['br116', [MAC]]]) }),
  ),
  'ipv6-prefixes': up(
    domain([
      pinned('2001:db8:12:4901::/64', 'br0', '172.30.0.0/24'),
      pinned('2001:db8:12:48:1::/80', 'br0', '172.30.0.0/24'),
    ]),
  ),
  'ipv6-on-link': up(
    domain(
      [...BOTH, { ...at('2001:db8:12:48:1::/80'), ...shared('123.45.90.116') }].map(one =>
        one.prefix.family === 6 ? { ...one, wire: 'eth0' } : one,
      ),
      'iptables',
      CONFIG6,
    ),
  ),
  'stop-both-families': down(domain(BOTH)),
  'base-both-families': up(base('', 'iptables', CONFIG6)),
  'base-both-families-nftables': up(base('', 'nftables', CONFIG6)),
  'base-cluster': up(base(CLUSTER, 'iptables', CONFIG6)),
  'base-cluster-nftables': up(base(CLUSTER, 'nftables', CONFIG6)),
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

function domain(
  addresses: readonly Address[],
  backend: Firewall['name'] = 'iptables',
  config = CONFIG,
  more: Partial<Wanted> = {},
): Resource[] {
  const wanted = { domain: DOMAIN, addresses, policy: OPEN, gateway: parseAddress('123.45.12.48'), ...more };
  return domainPlan(wanted, parseConfig(config).dhcp, firewallFor({ backend, addresses }));
}

function base(more: string, backend: Firewall['name'] = 'iptables', config = CONFIG): Resource[] {
  const parsed = parseConfig(config + more);
  return basePlan(parsed, uplinksFor(parsed), firewallOf(backend, parsed.pools));
}

/** As `hnet plan` prints it. */
function up(resources: readonly Resource[]): string {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  printResources(resources, EMPTY_VIEW, { print });
  return withoutFingerprints(lines);
}

function down(resources: readonly Resource[]): string {
  const lines = resources
    .toReversed()
    .flatMap(one => [`# ${one.label}`, ...one.down(EMPTY_VIEW).map(describeAction)]);
  return withoutFingerprints(lines);
}

function script(addresses: readonly Address[], backend: Firewall['name'] = 'iptables'): string {
  const attachment = { domain: DOMAIN, name: "it's vm1", addresses, policy: OPEN, backend };
  return releaseScript(attachment, 'e4b40ac2-0a2b-4e5e-a2b5-e2c2ffaa3ec2') ?? 'none';
}

/** A fingerprint stands on many lines, and changes on all of them with each of the others. */
function withoutFingerprints(lines: readonly string[]): string {
  return `${lines.join('\n').replaceAll(/\bhnet:[0-9a-f]{8}\b/g, 'hnet:FINGERPRINT')}\n`;
}
