/**
 * The filter in iptables and ipset, in whichever of its two kinds (nf_tables, legacy) the host uses.
 *
 * Goals: nothing of anyone else's is flushed, reordered or given a new policy; our jump stands first in each
 * built-in chain, or a foreign REJECT would precede it; every table changes in one atomic commit.
 *
 * Tension: iptables prints a rule back in a form that differs between its versions, so comparing texts would
 * see drift where there is none. Therefore the last rule of every chain carries a fingerprint of its
 * table, and a chain is as it should be if fingerprint and number of rules are.
 */

import { type Action, ipset, run } from '../action.ts';
import { format, formatLong, type Prefix } from '../address.ts';
import type { Config } from '../config.ts';
import { DEVICE_GROUP, digest } from '../names.ts';
import type { View } from '../view.ts';
import { type Firewall, setNames, type Uplink } from './firewall.ts';
import { ABSENT, changed, type Finding, PRESENT, type Resource } from './resource.ts';

const GROUP = `0x${DEVICE_GROUP.toString(16)}`;
const FROM_US = `-m devgroup --src-group ${GROUP}`;
const TO_US = `-m devgroup --dst-group ${GROUP}`;
const REPLIES = '-m conntrack --ctstate RELATED,ESTABLISHED';

/** One table: the jumps into it from built-in chains, and our own chains. */
interface Table {
  readonly name: string;
  /** Built-in chain → the rule that leads to a chain of ours. */
  readonly jumps: Readonly<Record<string, string>>;
  /** Own chain → its rules; `#` in the last one stands for the fingerprint comment. */
  readonly chains: Readonly<Record<string, readonly string[]>>;
}

function tables(config: Config, uplink: Uplink): Table[] {
  return [rawTable(), filterTable(config, uplink), natTable(uplink)];
}

/**
 * Anti-spoofing, before conntrack and any "established" rule, or a guest could inject into a neighbour's flow:
 * a source must be routed back to the bridge it came from. DHCP clients have no address yet (RFC 2131, 4.1).
 */
function rawTable(): Table {
  return {
    name: 'raw',
    jumps: { PREROUTING: `${FROM_US} -j hnet-prerouting` },
    chains: {
      'hnet-prerouting': [
        '-s 0.0.0.0/32 -d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67 -j ACCEPT',
        '-m rpfilter --invert # -j DROP',
      ],
    },
  };
}

function filterTable(config: Config, { device }: Uplink): Table {
  const sets = setNames(4);
  return {
    name: 'filter',
    jumps: { FORWARD: '-j hnet-forward', INPUT: `${FROM_US} -j hnet-input` },
    chains: {
      'hnet-forward': [`${FROM_US} -j hnet-egress`, `${TO_US} # -j hnet-ingress`],
      'hnet-egress': [
        `${TO_US} -g hnet-between`,
        `-o ${device} -m set --match-set ${sets.out} src -j ACCEPT`,
        `-o ${device} -m set --match-set ${sets.scopes} src -j ACCEPT`,
        '# -j DROP',
      ],
      'hnet-between': [
        // Matched for its counter alone: the packet leaves one address and enters another.
        `-m set --match-set ${sets.out} src`,
        ...(config.firewall.betweenDomains
          ? [`-m set --match-set ${sets.in} dst -j ACCEPT`, `${REPLIES} -j ACCEPT`]
          : []),
        '# -j DROP',
      ],
      'hnet-ingress': [
        `-i ${device} -m set --match-set ${sets.in} dst -j ACCEPT`,
        `${REPLIES} -j ACCEPT`,
        '# -j DROP',
      ],
      'hnet-input': ['-p udp -m udp --sport 68 --dport 67 -j ACCEPT', `${REPLIES} # -j ACCEPT`],
    },
  };
}

/** Only bootstrap leases are translated: a public address is never touched, in either direction. */
function natTable({ device, host }: Uplink): Table {
  return {
    name: 'nat',
    jumps: { POSTROUTING: `-o ${device} -j hnet-postrouting` },
    chains: {
      'hnet-postrouting': [
        `-m set --match-set ${setNames(4).scopes} src # -j SNAT --to-source ${format(host)}`,
      ],
    },
  };
}

/** Recognises a table that we wrote: of jumps and rules alike, so that a changed uplink shows. */
const fingerprint = (table: Table): string => `hnet:${digest(JSON.stringify(table))}`;

function tableResource(table: Table): Resource {
  const mark = fingerprint(table);
  const chains = Object.entries(table.chains);
  const jumps = Object.entries(table.jumps);
  return {
    label: `${table.name} table`,
    probe: view => {
      const findings = [
        ...chains.map(([chain, rules]) =>
          probeChain(view.chains.get(`${table.name} ${chain}`), chain, rules, mark),
        ),
        ...jumps.map(([builtin, jump]) =>
          probeJump(view.chains.get(`${table.name} ${builtin}`), builtin, jump),
        ),
      ];
      if (findings.every(finding => finding.is === 'absent')) return ABSENT;
      const wrong = findings.find(finding => finding.is !== 'present');
      return wrong === undefined
        ? PRESENT
        : wrong.is === 'absent'
          ? changed('a part of it is missing')
          : wrong;
    },
    up: view => [
      restore(table.name, [
        ...chains.map(([chain]) => `:${chain} - [0:0]`),
        ...chains.flatMap(([chain, rules]) => rules.map(rule => `-A ${chain} ${marked(rule, mark)}`)),
        ...oldJumps(table.name, view),
        ...jumps.map(([builtin, jump]) => `-I ${builtin} 1 ${jump}`),
      ]),
    ],
    down: view => {
      const ours = ownChains(table.name, view);
      if (ours.length === 0) return [];
      return [
        restore(table.name, [
          ...ours.map(chain => `:${chain} - [0:0]`),
          ...oldJumps(table.name, view),
          ...ours.map(chain => `-X ${chain}`),
        ]),
      ];
    },
  };
}

const marked = (rule: string, mark: string): string => rule.replace('#', `-m comment --comment ${mark}`);

const restore = (table: string, lines: readonly string[]): Action =>
  run(['iptables-restore', '-w', '10', '--noflush'], [`*${table}`, ...lines, 'COMMIT', ''].join('\n'));

function probeChain(
  actual: readonly string[] | undefined,
  chain: string,
  rules: readonly string[],
  mark: string,
): Finding {
  if (actual === undefined) return ABSENT;
  if (actual.length !== rules.length)
    return changed(`${chain} has ${actual.length} rules, not ${rules.length}`);
  return actual.at(-1)?.includes(mark) ? PRESENT : changed(`${chain} has other rules`);
}

const target = (rule: string): string | undefined => /-[jg] (\S+)/.exec(rule)?.[1];

function probeJump(actual: readonly string[] = [], builtin: string, jump: string): Finding {
  const places = actual.flatMap((rule, index) => (target(rule) === target(jump) ? [index] : []));
  if (places.length === 0) return ABSENT;
  return places.length === 1 && places[0] === 0 ? PRESENT : changed(`its jump isn't first in ${builtin}`);
}

/** Our chains that stand in a table, whichever version of hnet made them. */
function ownChains(table: string, view: View): string[] {
  const names = [...view.chains.keys()].filter(key => key.startsWith(`${table} hnet-`));
  return names.map(key => key.slice(table.length + 1));
}

/** Deletes whatever leads into our chains from built-in ones, as this iptables itself printed it. */
function oldJumps(table: string, view: View): string[] {
  const builtins = [...view.chains].filter(
    ([key]) => key.startsWith(`${table} `) && !key.startsWith(`${table} hnet-`),
  );
  return builtins.flatMap(([key, rules]) =>
    rules
      .filter(rule => target(rule)?.startsWith('hnet-'))
      .map(rule => `-D ${key.slice(table.length + 1)} ${rule}`),
  );
}

function set(name: string): Resource {
  return {
    label: `set ${name}`,
    probe: view => (view.sets.has(name) ? PRESENT : ABSENT),
    up: () => [ipset('create', name, 'hash:net', 'family', 'inet', 'counters', 'maxelem', '262144')],
    down: () => [ipset('destroy', name)],
  };
}

function entry(label: string, sets: readonly string[], prefix: Prefix): Resource {
  const text = formatLong(prefix);
  return {
    label,
    probe: view => (sets.every(name => view.sets.get(name)?.has(text)) ? PRESENT : ABSENT),
    up: () => sets.map(name => ipset('add', name, text)),
    down: () => sets.map(name => ipset('del', name, text)),
  };
}

export const iptables: Firewall = {
  base: (config, uplink) => [
    ...Object.values(setNames(4)).map(set),
    ...tables(config, uplink).map(tableResource),
  ],
  address: prefix => {
    const names = setNames(prefix.family);
    return entry(`filter for ${format(prefix)}`, [names.in, names.out], prefix);
  },
  scope: scope => entry(`filter for ${format(scope)}`, [setNames(scope.family).scopes], scope),
};
