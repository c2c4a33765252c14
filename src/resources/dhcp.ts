import { format } from '../model/address.ts';
import type { BridgeSpec } from '../model/bridge.ts';
import type { DhcpConfig } from '../model/config.ts';
import { configurationFile, LEASES_DIRECTORY, leaseFile, pidFile } from '../model/names.ts';
import type { DhcpServer } from '../model/view.ts';
import { type Action, directory, remove, serve, strike, write } from './action.ts';
import { configuration, type DhcpService, staleLeases } from './dhcp-config.ts';
import { ABSENT, changed, PRESENT, type Resource } from './resource.ts';

/**
 * The DHCP scope of a bridge: a dnsmasq of its own that serves the bootstrap lease, or the public address, or none. One process per bridge:
 * a change of one domain never restarts the server of another.
 */
export function dhcpScope(spec: BridgeSpec, service: DhcpService, dhcp: DhcpConfig): Resource {
  const { name } = spec;
  const text = configuration(spec, service, dhcp);
  const file = configurationFile(name);
  return {
    key: `dhcp ${name}`,
    label: `DHCP scope ${format(spec.scope)} on ${name}`,
    probe: view => {
      const server = view.dhcp.get(name);
      if (text === undefined) return server === undefined ? PRESENT : changed('a server runs, which is off');
      if (server === undefined) return ABSENT;
      if (server.rivals.length > 0) return changed(`${server.rivals.length + 1} servers run on it`);
      if (server.boundTo !== name) return changed(`bound to ${server.boundTo}, an interface that is gone`);
      return server.configuration === text ? PRESENT : changed('it runs with another configuration');
    },
    up: view =>
      text === undefined
        ? removeDhcp(name, view.dhcp.get(name))
        : [
            stopDhcp(name, view.dhcp.get(name)),
            directory(LEASES_DIRECTORY),
            ...strikeStale(name, service),
            write(file, text),
            serve(['dnsmasq', '--keep-in-foreground', `--conf-file=${file}`], pidFile(name)),
          ],
    down: view => removeDhcp(name, view.dhcp.get(name)),
  };
}

function strikeStale(name: string, service: DhcpService): Action[] {
  const pattern = staleLeases(service);
  return pattern === undefined ? [] : [strike(leaseFile(name), pattern)];
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
