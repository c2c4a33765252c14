/** The door to BIRD: its own client, by its own socket. */
import type { Host } from '../host/host.ts';
import { hasTool } from '../host/tools.ts';
import { format } from '../model/address.ts';
import type { Prefix } from '../model/prefix.ts';

/** A protocol of BIRD's, as `birdc show protocols all` shows it. */
export interface BirdProtocol {
  readonly name: string;
  /** `BGP`, `Kernel`, `BFD` … */
  readonly kind: string;
  /** `up`, `start`, `down`; and what it says beside: `Established`, `Active        Socket: Connection refused`. */
  readonly state: string;
  readonly info: string;
  /** Of a session, in BIRD's own words. */
  readonly neighbour: string | undefined;
  readonly isEstablished: boolean;
}

/** All of BIRD's protocols; undefined where no BIRD answers. */
export function birdProtocols(host: Pick<Host, 'output'>): BirdProtocol[] | undefined {
  if (!hasTool('birdc')) return undefined;
  const text = host.output(['birdc', 'show', 'protocols', 'all']);
  return text === '' ? undefined : parseProtocols(text);
}

/** A line of its own begins each; what is known of it is indented. */
export const parseProtocols = (text: string): BirdProtocol[] => text.split(/\n(?=\S)/).flatMap(protocolOf);

/** @param block the line that begins it, and what follows; none for the lines before the first */
function protocolOf(block: string): BirdProtocol[] {
  const [, name, kind, state, said = ''] =
    /^(\S+) +(\S+) +\S+ +(up|start|stop|down|flush)\b +\S+ ?(.*)$/m.exec(block.split('\n')[0] ?? '') ?? [];
  if (name === undefined || kind === undefined || state === undefined) return [];
  const info = said
    .replace(/^[\d:.]+ +/, '')
    .replace(/ {2,}/g, ': ')
    .trim();
  const neighbour = /^ +Neighbor address: +(\S+)/m.exec(block)?.[1];
  const isEstablished = kind === 'BGP' && /\bEstablished\b/.test(said);
  return [{ name, kind, state, info, neighbour, isEstablished }];
}

/** The sessions with a host, by its addresses on the wire. */
export const sessionsWith = (wire: readonly Prefix[], protocols: readonly BirdProtocol[]): BirdProtocol[] =>
  protocols.filter(({ kind, neighbour }) => kind === 'BGP' && wire.some(one => format(one) === neighbour));
