/**
 * firewalld rebuilds its table at each reload, so an accept put into it would be gone; it has policies for this.
 * Ours name addresses, which are the same for any number of domains, and not bridges, which come and go.
 *
 * Goals: what the pools and the bootstrap scopes need and no more, permanently and now, with no restart of
 * anything and nobody else's settings touched.
 *
 * Tension: firewalld learns of a new policy only by a reload, and then flushes every rule of iptables too,
 * whoever made it, ours included. So what stands there is read before and put back as it was: it happens once,
 * and again only when pools or scopes change, or the policy goes.
 */

import { format, parsePrefix } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import type { Prefix } from '../../model/prefix.ts';
import type { ForeignTable, View } from '../../model/view.ts';
import { type Action, remove, run, write } from '../../resources/action.ts';
import { ABSENT, changed, PRESENT, type Resource } from '../../resources/resource.ts';

/** Whatever of iptables came up beside this has to be looked at again: the reload puts back what stood before. */
export const POLICIES_KEY = 'firewalld policies';

const POLICIES = '/etc/firewalld/policies';
const FORWARDING = `${POLICIES}/hnet.xml`;
const DHCP = `${POLICIES}/hnet-dhcp.xml`;
/** firewalld has policies since 0.9, and ships this one. */
const SHIPPED = '/usr/lib/firewalld/policies/allow-host-ipv6.xml';
/** The chains that the two policies become. */
const CHAINS = ['filter_FWD_policy_hnet_allow', 'filter_IN_policy_hnet-dhcp_allow'];

type Read = View['sysctl'];

/** firewalld's own table, where policies are the way through it. */
export const governsItself = ({ by, family, name }: ForeignTable, read: Read): boolean =>
  by === 'nft' && family === 'inet' && name === 'firewalld' && read(SHIPPED) !== undefined;

/** With its old backend firewalld's chains are iptables', and a reload can't be survived by carrying them over. */
const usesIptables = ({ chains }: ForeignTable): boolean =>
  chains.has('FORWARD_ZONES') && chains.has('INPUT_ZONES');

/** Whether a policy file of ours lies there, firewalld running or not. */
export const hasPolicies = (view: View): boolean =>
  [FORWARDING, DHCP].some(path => view.sysctl(path) !== undefined);

export function firewalldPolicies(config: Config): Resource {
  const files = new Map([
    [FORWARDING, forwardingPolicy(config)],
    [DHCP, dhcpPolicy(config)],
  ]);
  const writing = [...files].map(([path, text]) => write(path, text));
  return {
    key: POLICIES_KEY,
    label: 'firewalld policies hnet and hnet-dhcp',
    probe: view => {
      const { table, permanentOnly } = find(view);
      if (table === undefined) return PRESENT;
      const kept = [...files].filter(([path, text]) => view.sysctl(path) === text.trim());
      const active = CHAINS.filter(name => (table.chains.get(name)?.rules.length ?? 0) > 0);
      if (kept.length === 0) return ABSENT;
      if (kept.length < files.size) return changed('they are for other pools or scopes');
      return permanentOnly || active.length === CHAINS.length
        ? PRESENT
        : changed("firewalld hasn't loaded them");
    },
    up: view => [...writing, ...reload(view)],
    down: view => {
      const standing = [...files.keys()].filter(path => view.sysctl(path) !== undefined);
      return standing.length === 0 ? [] : [...standing.map(remove), ...reload(view)];
    },
  };
}

function find({ filter, sysctl }: View): { table: ForeignTable | undefined; permanentOnly: boolean } {
  const tables = filter.strangers?.tables ?? [];
  const table = tables.find(one => governsItself(one, sysctl));
  const old = sysctl(SHIPPED) === undefined ? undefined : tables.find(usesIptables);
  return { table: table ?? old, permanentOnly: table === undefined };
}

function reload(view: View): Action[] {
  const { table, permanentOnly } = find(view);
  if (table === undefined || permanentOnly) return [];
  const carry = view.filter.strangers?.carry ?? [];
  return [run(['firewall-cmd', '--reload']), ...carry.map(({ argv, text }) => run(argv, text))];
}

/** Forwarded packets of the pools, either way, and of the scopes outwards; the replies follow by themselves. */
function forwardingPolicy({ pools, dhcp: { scopes } }: Config): string {
  return policy('ANY', [
    ...pools.flatMap(pool => [accept('source', pool), accept('destination', pool)]),
    ...scopes.map(scope => accept('source', scope)),
  ]);
}

/**
 * DHCP to the host: from the scopes, and from clients that have no address yet (RFC 2131, 4.1) or a link-local one (RFC
 * 8415, 17). Neighbour discovery firewalld lets through by itself.
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

/** A policy file (firewalld.policy(5)). Its priority puts it before what zones decide. */
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
