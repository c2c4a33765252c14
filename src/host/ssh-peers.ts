/** Who is connected to this host by SSH, and would be cut off by a wrong configuration. */
import { parseAddress } from '../model/address.ts';
import type { Prefix } from '../model/prefix.ts';
import { ifPossible } from '../model/refusal.ts';
import type { Host } from './host.ts';

/** Servers of SSH by the names of their processes, as `ss` prints them: `users:(("sshd",pid=7,fd=4))`. */
const SERVERS = /\("(sshd|sshd-session|dropbear|tinysshd)",/;
const USUAL_PORT = '22';

/**
 * The other end of this program's own connection, and of every other one. `SSH_CONNECTION` ("ADDRESS PORT ADDRESS PORT") alone
 * won't do: sudo takes it out of the environment, and the daemon has none.
 */
export function sshPeers(host: Host): Prefix[] {
  const [own = ''] = (process.env['SSH_CONNECTION'] ?? '').split(' ');
  const listed = host.output(['ss', '-Htnp', 'state', 'established', 'state', 'listening']);
  const peers = [own, ...peersIn(listed)].flatMap(text => ifPossible(() => parseAddress(text)) ?? []);
  return [...new Map(peers.map(peer => [`${peer.family} ${peer.first}`, peer])).values()];
}

/** Connections that a server has been called by. Those that it makes for its users are to ports at which nothing listens here. */
function peersIn(listed: string): string[] {
  const sockets = [...listed.matchAll(/^(\S+) +\d+ +\d+ +(\S+):(\d+) +(\S+):\S+(.*)$/gm)].map(
    ([, state, , port = '', peer = '', users = '']) => ({ state, port, peer, users }),
  );
  const ports = new Set(sockets.filter(({ state }) => state === 'LISTEN').map(({ port }) => port));
  return sockets
    .filter(({ state, port, users }) => state === 'ESTAB' && ports.has(port) && isOfServer(port, users))
    .map(({ peer }) => peer.replace(/^\[(?:::ffff:(?=[\d.]+\]))?(.*)\]$/, '$1'));
}

const isOfServer = (port: string, users: string): boolean => port === USUAL_PORT || SERVERS.test(users);
