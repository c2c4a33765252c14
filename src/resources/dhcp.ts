import { format } from '../model/address.ts';
import type { BridgeSpec } from '../model/bridge.ts';
import type { DhcpConfig } from '../model/config.ts';
import { configurationFile, LEASES_DIRECTORY, leaseFile, pidFile, wordsFile } from '../model/names.ts';
import { reason } from '../model/refusal.ts';
import type { DhcpServer, View } from '../model/view.ts';
import { type Action, directory, remove, serve, strike, terminate, write } from './action.ts';
import { configuration, type DhcpService, staleLeases } from './dhcp-config.ts';
import { ABSENT, absent, changed, type Finding, PRESENT, type Resource } from './resource.ts';

/** The DHCP scope of a bridge: a dnsmasq of its own, so that a change of one domain never restarts another's server. */
export function dhcpScope(spec: BridgeSpec, service: DhcpService, dhcp: DhcpConfig): Resource {
  const { name } = spec;
  const text = configuration(spec, service, dhcp);
  return {
    key: `dhcp ${name}`,
    label: `DHCP scope ${format(spec.scope)} on ${name}`,
    probe: view => probeServer(name, text, view),
    up: view => {
      const server = view.dhcp.get(name);
      return text === undefined
        ? removeDhcp(name, server)
        : [stopDhcp(name, server), ...startDhcp(name, text, service)];
    },
    down: view => removeDhcp(name, view.dhcp.get(name)),
  };
}

/** @param text its configuration; undefined where no server should run */
function probeServer(name: string, text: string | undefined, view: View): Finding {
  const server = view.dhcp.get(name);
  if (text === undefined) return server === undefined ? PRESENT : changed('a server runs, which is off');
  if (server === undefined) return gone(view.sysctl(wordsFile(name)));
  if (server.rivals.length > 0) return changed(`${server.rivals.length + 1} servers run on it`);
  if (server.boundTo !== name) return changed(`bound to ${server.boundTo}, an interface that is gone`);
  if (!server.noted) return changed('its pid file is lost');
  return server.configuration === text ? PRESENT : changed('it runs with another configuration');
}

function startDhcp(name: string, text: string, service: DhcpService): Action[] {
  const stale = staleLeases(service);
  const file = configurationFile(name);
  return [
    directory(LEASES_DIRECTORY),
    ...(stale === undefined ? [] : [strike(leaseFile(name), stale)]),
    write(file, text),
    serve({
      argv: ['dnsmasq', '--keep-in-foreground', `--conf-file=${file}`],
      pidFile: pidFile(name),
      data: leaseFile(name),
      words: wordsFile(name),
      ports: [67, ...(service.prefixes6.length > 0 ? [547] : [])],
    }),
  ];
}

/** @param words what the server said on standard error: nothing, unless it gave up */
const gone = (words = ''): Finding => (words === '' ? ABSENT : absent(`its server ended: ${reason(words)}`));

const stopDhcp = (name: string, server: DhcpServer | undefined): Action =>
  terminate(pidFile(name), configurationFile(name), ...(server ? [server.pid, ...server.rivals] : []));

/** Ends the server of a bridge, and removes what it was started with. */
export const removeDhcp = (name: string, server: DhcpServer | undefined): Action[] => [
  stopDhcp(name, server),
  remove(pidFile(name)),
  remove(configurationFile(name)),
  remove(wordsFile(name)),
];
