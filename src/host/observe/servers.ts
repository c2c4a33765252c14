/** Finds our running servers by their processes. */
import { statSync } from 'node:fs';
import {
  configurationFile,
  DHCP_DIRECTORY,
  NDP_DIRECTORY,
  pidFile,
  responderFile,
  responderPid,
} from '../../model/names.ts';
import { ifPossible } from '../../model/refusal.ts';
import type { DhcpServer } from '../../model/view.ts';
import { linkIfThere, namesIn, readIfThere } from '../files.ts';
import type { Tools } from '../host.ts';
import { pidIn, processes, processOf, servedFrom } from '../processes.ts';

/**
 * Our running DHCP servers and the interface each one's socket is bound to: the old server of a bridge that was made anew
 * is bound to an index that is gone (`%if7` in ss), and serves nobody. They are known by their command lines, for their pid
 * files may be lost.
 * @param bridges only the servers of these, by their pid files, however many processes run
 */
export function readDhcpServers(tools: Tools, bridges?: readonly string[]): ReadonlyMap<string, DhcpServer> {
  const sockets = dhcpSockets(tools);
  const found = new Map<string, Bound[]>();
  for (const pid of bridges?.map(bridge => pidIn(pidFile(bridge))) ?? processes()) {
    const [, bridge] = SERVER.exec(readIfThere(`/proc/${pid}/cmdline`) ?? '') ?? [];
    if (bridge === undefined) continue;
    const boundTo = boundBy(pid, sockets) ?? (pidIn(pidFile(bridge)) === pid ? unbound(bridge) : undefined);
    // With neither a socket here nor a pid file it may belong to a container that runs its own hnet.
    if (boundTo !== undefined) found.set(bridge, [...(found.get(bridge) ?? []), { pid, boundTo }]);
  }
  return new Map([...found].map(([bridge, servers]) => [bridge, toServer(bridge, servers)]));
}

type Bound = Pick<DhcpServer, 'pid' | 'boundTo'>;

/** A server without a socket: among thousands of interfaces dnsmasq takes seconds to bind, and that is no fault. */
function unbound(bridge: string): string {
  const age = Date.now() - (ifPossible(() => statSync(pidFile(bridge)))?.mtimeMs ?? 0);
  return age < 10_000 ? bridge : 'nothing';
}

const SERVER = new RegExp(`--conf-file=${DHCP_DIRECTORY}/([^/\0]+)\\.conf\0`);

export const SOCKETS = ['ss', '-Huane', 'sport = :67'];

/** The device of each socket at the DHCP port, by inode. `ss -p` would name the process, but reads everybody's descriptors. */
function dhcpSockets(tools: Tools): ReadonlyMap<string, string> {
  const found = tools.run(SOCKETS).matchAll(/%(\S+):67 .* ino:(\d+)/g);
  return new Map([...found].map(([, device = '', inode]) => [`socket:[${inode}]`, device]));
}

function boundBy(pid: number, sockets: ReadonlyMap<string, string>): string | undefined {
  // The first three, standard input, output and error, are no sockets.
  for (const descriptor of namesIn(`/proc/${pid}/fd`).slice(3)) {
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
  const noted = pidIn(pidFile(bridge)) === main?.pid;
  return { pid: main?.pid ?? 0, boundTo: main?.boundTo ?? 'nothing', noted, rivals, configuration };
}

/** Our running responders for neighbour discovery. */
export function readNdpServers(): ReadonlyMap<string, string> {
  const alive = servedFrom(NDP_DIRECTORY).filter(
    bridge => processOf(responderPid(bridge), responderFile(bridge)) !== undefined,
  );
  return new Map(alive.map(bridge => [bridge, readIfThere(responderFile(bridge)) ?? '']));
}
