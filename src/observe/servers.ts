/** Finds the servers of ours that are alive, by the processes themselves. */
import { readdirSync, statSync } from 'node:fs';
import { type Host, isProcess, pidIn, processOf, readIfThere } from '../host.ts';
import { DHCP_DIRECTORY, NDP_DIRECTORY } from '../names.ts';
import { configurationFile, pidFile } from '../resources/dhcp.ts';
import { responderFile, responderPid } from '../resources/neighbour.ts';
import type { DhcpServer } from '../view.ts';

/**
 * Our DHCP servers that are alive, and the interface each one's socket is bound to: a bridge that was made
 * anew leaves its old server alive, bound to an index that is gone (`%if7` in ss), and serving nobody. They are
 * known by their command lines, for the files that name them may be lost while they run.
 */
export function readDhcpServers(host: Host): ReadonlyMap<string, DhcpServer> {
  const found = new Map<string, { pid: number; boundTo: string }[]>();
  const isNoted = (bridge: string, pid: number): boolean =>
    found.get(bridge)?.some(server => server.pid === pid) ?? false;
  const note = (bridge: string, pid: number, boundTo: string): void => {
    if (!isNoted(bridge, pid)) found.set(bridge, [...(found.get(bridge) ?? []), { pid, boundTo }]);
  };
  for (const { pid, boundTo } of dhcpSockets(host)) {
    const [, bridge] = SERVER.exec(readIfThere(`/proc/${pid}/cmdline`) ?? '') ?? [];
    if (bridge !== undefined) note(bridge, pid, boundTo);
  }
  for (const bridge of listDirectory(DHCP_DIRECTORY).flatMap(name => /^(.*)\.pid$/.exec(name)?.[1] ?? [])) {
    const pid = pidIn(pidFile(bridge));
    if (!isNoted(bridge, pid) && isProcess(pid, configurationFile(bridge)))
      note(bridge, pid, isYoung(bridge) ? bridge : 'nothing');
  }
  return new Map([...found].map(([bridge, servers]) => [bridge, toServer(bridge, servers)]));
}

/** Started just now: among thousands of interfaces dnsmasq takes its time before it binds, and is no fault meanwhile. */
const isYoung = (bridge: string): boolean =>
  Date.now() - (statSync(pidFile(bridge), { throwIfNoEntry: false })?.mtimeMs ?? 0) < 10_000;

const SERVER = new RegExp(`--conf-file=${DHCP_DIRECTORY}/([^/\0]+)\\.conf\0`);

function dhcpSockets(host: Host): { pid: number; boundTo: string }[] {
  const sockets = host.run(['ss', '-Hulnp', 'sport = :67']);
  return [...sockets.matchAll(/%(\S+):67 .*pid=(\d+)/g)].map(([, device = '', pid]) => ({
    pid: Number(pid),
    boundTo: device,
  }));
}

/** Of several servers, the one that serves. */
function toServer(bridge: string, servers: readonly { pid: number; boundTo: string }[]): DhcpServer {
  const main = servers.find(({ boundTo }) => boundTo === bridge) ?? servers[0];
  const rivals = servers.filter(server => server !== main).map(({ pid }) => pid);
  const configuration = readIfThere(configurationFile(bridge)) ?? '';
  return { pid: main?.pid ?? 0, boundTo: main?.boundTo ?? 'nothing', rivals, configuration };
}

/** The neighbour discovery responders of ours that are alive. */
export function readNdpServers(): ReadonlyMap<string, string> {
  const bridges = listDirectory(NDP_DIRECTORY).flatMap(name => /^(.*)\.pid$/.exec(name)?.[1] ?? []);
  const alive = bridges.filter(
    bridge => processOf(responderPid(bridge), responderFile(bridge)) !== undefined,
  );
  return new Map(alive.map(bridge => [bridge, readIfThere(responderFile(bridge)) ?? '']));
}

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
