/** The name servers that this host uses, and that its guests can use too. */
import { isIP } from 'node:net';
import { readIfThere } from '../files.ts';

/** systemd-resolved has its upstream servers in a file of its own; a guest can't use the stub on 127.0.0.53. */
const FILES = ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf'];

/** No more than resolv.conf(5) takes. */
const MOST = 3;

/** Those of the first file that names any; none if the host has no server that a guest can reach. */
export function nameServers(): readonly string[] {
  const found = FILES.map(file => [...(readIfThere(file) ?? '').matchAll(/^nameserver\s+(\S+)\s*$/gm)]);
  const reachable = found.map(lines => lines.map(([, server = '']) => server).filter(isReachable));
  return (reachable.find(servers => servers.length > 0) ?? []).slice(0, MOST);
}

/** Neither the host's own nor one of a link that guests aren't on. */
const isReachable = (server: string): boolean =>
  isIP(server) !== 0 && !/^127\.|^::1$|^fe80:/i.test(server) && !server.includes('%');
