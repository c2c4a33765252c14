/**
 * Our policies for firewalld, which rebuilds its table at each reload, so that an accept in the table would be lost. They
 * name addresses and not bridges, which come and go.
 *
 * Goals: accept what the pools and the bootstrap scopes need and no more, permanently and at once; restart nothing, and
 * leave the settings of others alone.
 *
 * Tension: firewalld learns of a new policy only by a reload, which also flushes every rule of iptables, whoever made it.
 * So we read these rules first and restore them afterwards: once, and again when pools or scopes change or the policies go.
 */
import { format, parsePrefix } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { FAMILIES, type Prefix } from '../../model/prefix.ts';
import type { ForeignTable, View } from '../../model/view.ts';
import { type Action, remove, run, write } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, PRESENT, type Resource } from '../../resources/resource.ts';

/** Resources in iptables must be probed again after this one: its reload restores the rules as they were before. */
export const POLICIES_KEY = 'firewalld policies';

const POLICIES = '/etc/firewalld/policies';
const FORWARDING = `${POLICIES}/hnet.xml`;
const DHCP = `${POLICIES}/hnet-dhcp.xml`;
/** Shipped by every firewalld that knows policies (0.9 or newer). */
const SHIPPED = '/usr/lib/firewalld/policies/allow-host-ipv6.xml';
/** The chains that firewalld makes of the two policies. */
const CHAINS = ['filter_FWD_policy_hnet_allow', 'filter_IN_policy_hnet-dhcp_allow'];

/** Whether a table is firewalld's, which needs policies instead of accepts. */
export const governsItself = ({ by, family, name }: ForeignTable, read: View['sysctl']): boolean =>
  by === 'nft' && family === 'inet' && name === 'firewalld' && read(SHIPPED) !== undefined;

/** Whether firewalld uses its old backend. Then its own chains are in iptables, and must not be restored after a reload. */
const usesIptables = ({ chains }: ForeignTable): boolean =>
  chains.has('FORWARD_ZONES') && chains.has('INPUT_ZONES');

/** Whether a policy file of ours exists, even if firewalld doesn't run. */
export const hasPolicies = (view: View): boolean =>
  [FORWARDING, DHCP].some(path => view.sysctl(path) !== undefined);

export function firewalldPolicies(config: Config): Resource {
  const files = new Map(
    Object.entries({ [FORWARDING]: forwardingPolicy(config), [DHCP]: dhcpPolicy(config) }),
  );
  return {
    key: POLICIES_KEY,
    affects: () => ({ families: FAMILIES }),
    label: 'firewalld policies hnet and hnet-dhcp',
    probe: view => probe(files, view),
    up: view => [...[...files].map(([path, text]) => write(path, text)), ...reload(view)],
    down: view => {
      const standing = [...files.keys()].filter(path => view.sysctl(path) !== undefined);
      return standing.length === 0 ? [] : [...standing.map(remove), ...reload(view)];
    },
  };
}

function probe(files: ReadonlyMap<string, string>, view: View): Finding {
  const { table, permanentOnly } = find(view);
  if (table === undefined) return PRESENT;
  const kept = [...files].filter(([path, text]) => view.sysctl(path) === text.trim());
  if (kept.length === 0) return ABSENT;
  if (kept.length < files.size) return changed('they are for other pools or scopes');
  const active = CHAINS.every(name => (table.chains.get(name)?.rules.length ?? 0) > 0);
  return permanentOnly || active ? PRESENT : changed("firewalld hasn't loaded them");
}

function find({ filter, sysctl }: View): { table: ForeignTable | undefined; permanentOnly: boolean } {
  const tables = filter.foreign?.tables ?? [];
  const table = tables.find(one => governsItself(one, sysctl));
  const old = sysctl(SHIPPED) === undefined ? undefined : tables.find(usesIptables);
  return { table: table ?? old, permanentOnly: table === undefined };
}

function reload(view: View): Action[] {
  const { table, permanentOnly } = find(view);
  if (table === undefined || permanentOnly) return [];
  const carry = view.filter.foreign?.carry ?? [];
  return [run(['firewall-cmd', '--reload']), ...carry.map(({ argv, text }) => run(argv, text))];
}

/** Forwarded packets from and to the pools, and from the scopes; firewalld accepts the replies itself. */
function forwardingPolicy({ pools, dhcp: { scopes } }: Config): string {
  return policy('ANY', [
    ...pools.flatMap(pool => [accept('source', pool), accept('destination', pool)]),
    ...scopes.map(scope => accept('source', scope)),
  ]);
}

/**
 * DHCP to the host: from the scopes, from clients without an address (RFC 2131, 4.1) and from link-local ones (RFC 8415,
 * 17). firewalld accepts neighbour discovery itself.
 */
function dhcpPolicy({ pools, dhcp: { scopes } }: Config): string {
  const hasIpv6 = pools.some(({ family }) => family === 6);
  return policy('HOST', [
    ...[NOBODY, ...scopes].map(address => accept('source', address, port(67))),
    ...(hasIpv6 ? [accept('source', LINK_LOCAL, port(547))] : []),
  ]);
}

const NOBODY = parsePrefix('0.0.0.0');
const LINK_LOCAL = parsePrefix('fe80::/64');
const port = (number: number): string => `<port port="${number}" protocol="udp"/>`;

const accept = (side: 'source' | 'destination', range: Prefix, element = ''): string =>
  `  <rule family="ipv${range.family}"><${side} address="${format(range)}"/>${element}<accept/></rule>`;

/** A policy file (firewalld.policy(5)). A negative priority makes it apply before zones. */
function policy(egress: 'ANY' | 'HOST', rules: readonly string[]): string {
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<policy priority="-100" target="CONTINUE">',
    '  <short>hnet</short>',
    '  <description>Written by hnet, which filters by itself what its virtual machines send and get.</description>',
    '  <ingress-zone name="ANY"/>',
    `  <egress-zone name="${egress}"/>`,
    ...rules,
    '</policy>',
    '',
  ].join('\n');
}
