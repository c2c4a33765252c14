/** Finds the servers of ours that are alive, by the processes themselves. */
import { statSync } from 'node:fs';
import { DHCP_DIRECTORY, NDP_DIRECTORY } from '../../model/names.ts';
import type { DhcpServer } from '../../model/view.ts';
import { configurationFile, pidFile } from '../../resources/dhcp.ts';
import { responderFile, responderPid } from '../../resources/neighbour.ts';
import { linkIfThere, namesIn, readIfThere } from '../files.ts';
import { pidIn, processes, processOf, servedFrom } from '../processes.ts';
import type { Tools } from './parts.ts';

/**
 * Our DHCP servers that are alive, and the interface each one's socket is bound to: a bridge that was made
 * anew leaves its old server alive, bound to an index that is gone (`%if7` in ss), and serving nobody. They are
 * known by their command lines, for the files that name them may be lost while they run.
 */
export function readDhcpServers(tools: Tools): ReadonlyMap<string, DhcpServer> {
  const sockets = dhcpSockets(tools);
  const found = new Map<string, Bound[]>();
  for (const pid of processes()) {
    const [, bridge] = SERVER.exec(readIfThere(`/proc/${pid}/cmdline`) ?? '') ?? [];
    if (bridge === undefined) continue;
    const boundTo = boundBy(pid, sockets) ?? (pidIn(pidFile(bridge)) === pid ? unbound(bridge) : undefined);
    // With neither a socket here nor a pid file it may be a container's, with an hnet of its own.
    if (boundTo !== undefined) found.set(bridge, [...(found.get(bridge) ?? []), { pid, boundTo }]);
  }
  return new Map([...found].map(([bridge, servers]) => [bridge, toServer(bridge, servers)]));
}

/** A server's process, and the interface that its socket is bound to. */
interface Bound {
  readonly pid: number;
  readonly boundTo: string;
}

/** Among thousands of interfaces dnsmasq takes its time before it binds, and is no fault meanwhile. */
function unbound(bridge: string): string {
  const age = Date.now() - (statSync(pidFile(bridge), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return age < 10_000 ? bridge : 'nothing';
}

const SERVER = new RegExp(`--conf-file=${DHCP_DIRECTORY}/([^/\0]+)\\.conf\0`);

/** Everybody's sockets at DHCP's port. */
export const SOCKETS = ['ss', '-Huane', 'sport = :67'];

/**
 * The device of each socket at DHCP's port, by inode. Whose they are ss could say too, but goes through everybody's
 * descriptors for it.
 */
function dhcpSockets(tools: Tools): ReadonlyMap<string, string> {
  return new Map(
    [...tools.run(SOCKETS).matchAll(/%(\S+):67 .* ino:(\d+)/g)].map(([, device = '', inode]) => [
      `socket:[${inode}]`,
      device,
    ]),
  );
}

/** The first descriptors, which are no sockets of a server's. */
const STANDARD = 3;

function boundBy(pid: number, sockets: ReadonlyMap<string, string>): string | undefined {
  for (const descriptor of namesIn(`/proc/${pid}/fd`).slice(STANDARD)) {
    const device = sockets.get(linkIfThere(`/proc/${pid}/fd/${descriptor}`) ?? '');
    if (device !== undefined) return device;
  }
  return undefined;
}

/** Of several servers, the one that serves. */
function toServer(bridge: string, servers: readonly Bound[]): DhcpServer {
  const main = servers.find(({ boundTo }) => boundTo === bridge) ?? servers[0];
  const rivals = servers.filter(server => server !== main).map(({ pid }) => pid);
  const configuration = readIfThere(configurationFile(bridge)) ?? '';
  return { pid: main?.pid ?? 0, boundTo: main?.boundTo ?? 'nothing', rivals, configuration };
}

/** The neighbour discovery responders of ours that are alive. */
export function readNdpServers(): ReadonlyMap<string, string> {
  const alive = servedFrom(NDP_DIRECTORY).filter(
    bridge => processOf(responderPid(bridge), responderFile(bridge)) !== undefined,
  );
  return new Map(alive.map(bridge => [bridge, readIfThere(responderFile(bridge)) ?? '']));
}
