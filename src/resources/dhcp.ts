import { type Action, directory, remove, run, write } from '../action.ts';
import { format, formatAddress, last, nth, type Prefix } from '../address.ts';
import type { DhcpConfig } from '../config.ts';
import { DHCP_DIRECTORY, gatewayOf, LEASES_DIRECTORY } from '../names.ts';
import type { DhcpServer } from '../view.ts';
import type { BridgeSpec } from './bridge.ts';
import { ABSENT, changed, PRESENT, type Resource } from './resource.ts';

export const configurationFile = (bridge: string): string => `${DHCP_DIRECTORY}/${bridge}.conf`;
export const pidFile = (bridge: string): string => `${DHCP_DIRECTORY}/${bridge}.pid`;
export const leaseFile = (bridge: string): string => `${LEASES_DIRECTORY}/${bridge}.leases`;

/**
 * The DHCP scope of a bridge: a dnsmasq of its own that serves the bootstrap lease. One process per bridge:
 * a change of one domain never restarts the server of another.
 */
export function dhcpScope(spec: BridgeSpec, dhcp: DhcpConfig): Resource {
  const { name } = spec;
  const text = configuration(spec, dhcp);
  const file = configurationFile(name);
  return {
    label: `DHCP scope ${format(spec.scope)} on ${name}`,
    probe: view => {
      const server = view.dhcp.get(name);
      if (server === undefined) return ABSENT;
      if (server.rivals.length > 0) return changed(`${server.rivals.length + 1} servers run on it`);
      if (server.boundTo !== name) return changed(`bound to ${server.boundTo}, an interface that is gone`);
      return server.configuration === text ? PRESENT : changed('it runs with another configuration');
    },
    up: view => [
      stopDhcp(name, view.dhcp.get(name)),
      directory(LEASES_DIRECTORY),
      write(file, text),
      run(['dnsmasq', `--conf-file=${file}`]),
    ],
    down: view => removeDhcp(name, view.dhcp.get(name)),
  };
}

const stopDhcp = (name: string, server: DhcpServer | undefined): Action => ({
  kind: 'terminate',
  pidFile: pidFile(name),
  marker: configurationFile(name),
  pids: server === undefined ? [] : [server.pid, ...server.rivals],
});

/** Ends the server of a bridge, and removes what it was started with. */
export const removeDhcp = (name: string, server: DhcpServer | undefined): Action[] => [
  stopDhcp(name, server),
  remove(pidFile(name)),
  remove(configurationFile(name)),
];

/** .10 to .200 in the article's /24; in a smaller scope everything between the gateway and the broadcast address. */
function range(scope: Prefix): [Prefix, Prefix] {
  return scope.length <= 24
    ? [nth(scope, 10n), nth(scope, 200n)]
    : [nth(scope, 2n), nth(scope, last(scope) - scope.first - 1n)];
}

/**
 * The configuration of one server (dnsmasq(8)). port=0: it serves no DNS. no-ping: probing an address before
 * offering it delays the first lease by three seconds, and nobody else is on this wire.
 */
function configuration({ name, scope }: BridgeSpec, dhcp: DhcpConfig): string {
  const [first, final] = range(scope).map(format);
  const mask = formatAddress(4, ((1n << BigInt(scope.length)) - 1n) << BigInt(32 - scope.length));
  return [
    '# written by hnet',
    'port=0',
    `interface=${name}`,
    'except-interface=lo',
    'bind-interfaces',
    'no-hosts',
    'no-resolv',
    'no-ping',
    'dhcp-authoritative',
    `pid-file=${pidFile(name)}`,
    `dhcp-leasefile=${leaseFile(name)}`,
    `dhcp-range=${first},${final},${mask},${dhcp.lease}`,
    `dhcp-option=option:router,${format(gatewayOf(scope))}`,
    ...(dhcp.dns.length > 0
      ? [
          `dhcp-option=option:dns-server,${dhcp.dns
            .filter(one => one.family === 4)
            .map(format)
            .join(',')}`,
        ]
      : []),
    `domain=${dhcp.domain}`,
    '',
  ].join('\n');
}
