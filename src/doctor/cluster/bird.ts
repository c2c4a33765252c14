import { lostSessions } from '../../cluster/apart.ts';
import { type BirdProtocol, parseProtocols, sessionsWith } from '../../cluster/birds.ts';
import type { KnownPeer } from '../../cluster/peers.ts';
import { ownName } from '../../cluster/self.ts';
import { meets } from '../../guest/routing/routing.ts';
import { MOVE_METRIC, PEER_METRIC, SCAN_TIME } from '../../model/move.ts';
import { ROUTE_PROTOCOL } from '../../model/names.ts';
import { type Diagnosis, diagnosis } from '../diagnosis.ts';
import { clusterOf, type Facts } from '../facts.ts';

const CONF = '/etc/bird/bird.conf';
/** Beside it: the file also has what somebody filled in, such as the provider's session, by which the host itself may be reached. */
const PRINT = `hnet host --format bird >${CONF}.new; diff ${CONF} ${CONF}.new  # take over what differs, but keep the provider's session; then: birdc configure`;
/** Where there is nothing yet that could be lost. */
const WRITE = `hnet host --format bird >${CONF}; systemctl enable bird; systemctl reload-or-restart bird`;

export function checkBird(facts: Facts): Diagnosis[] {
  const cluster = clusterOf(facts);
  if (cluster === undefined) return [];
  const { peers } = facts.cluster;
  const shown = facts.output('birdc', 'show', 'protocols', 'all');
  if (shown === '')
    return diagnosis(
      "BIRD doesn't run",
      'no other host learns which addresses are here, and this one learns of none',
      `apt install bird2; ${textIn(facts) === '' ? WRITE : 'systemctl enable --now bird'}`,
    );
  const protocols = parseProtocols(shown);
  return [
    ...lostSessions(peers, protocols).flatMap(({ why }) =>
      diagnosis(`BIRD has ${why}`, 'VMs here and there do not reach each other', 'birdc show protocols all'),
    ),
    ...checkUnknown(
      peers.filter(({ host }) => meets(host, { host: ownName(cluster), reflectors: cluster.reflectors })),
      protocols,
    ),
    ...checkConf(facts),
  ];
}

function checkUnknown(peers: readonly KnownPeer[], protocols: readonly BirdProtocol[]): Diagnosis[] {
  const without = peers.filter(({ isUp, wire }) => isUp && sessionsWith(wire, protocols).length === 0);
  if (without.length === 0) return [];
  return diagnosis(
    `BIRD has no session for ${without.map(({ host }) => host).join(', ')}`,
    'its addresses are not known here, nor those of this host there, and it needs the same',
    PRINT,
  );
}

/** What a file that somebody wrote himself may lack, and why that hurts. Of a file in parts nothing is said. */
function checkConf(facts: Facts): Diagnosis[] {
  const text = textIn(facts);
  if (text === '' || /^\s*include\b/m.test(text)) return [];
  const lacking = NEEDED.filter(({ is }) => !is(text));
  return lacking.flatMap(({ what, why }) => diagnosis(`${CONF} ${what}`, why, PRINT));
}

/** The file without its comments. */
const textIn = ({ file }: Facts): string =>
  (file(CONF)?.text ?? '').replace(/#.*$|\/\*[\s\S]*?\*\//gm, '').trim();

const metrics = Object.values(MOVE_METRIC);
const NEEDED: readonly { is: (text: string) => boolean; what: string; why: string }[] = [
  {
    is: text => /\blearn\b/.test(text),
    what: 'has no "learn" in its kernel protocol',
    why: "BIRD doesn't see hnet's routes, so no other host learns of them",
  },
  {
    is: text => new RegExp(`\\bmetric\\s+${PEER_METRIC}\\b`).test(text),
    what: `doesn't give routes of other hosts the metric ${PEER_METRIC}`,
    why: "they win over this host's own, or lose to those of VMs that have left",
  },
  {
    is: text => new RegExp(`krt_source\\s*(!=|=|~)[^;]*\\b${ROUTE_PROTOCOL}\\b`).test(text),
    what: `doesn't ask for routes of the protocol ${ROUTE_PROTOCOL}`,
    why: "routes that aren't hnet's may be announced",
  },
  {
    is: text => metrics.every(one => new RegExp(`krt_metric\\s*=\\s*${one}\\b`).test(text)),
    what: `doesn't tell the metrics ${metrics.join(', ')} from others`,
    why: 'while a VM moves its packets go to the wrong host',
  },
  {
    is: text => Number(/\bscan\s+time\s+(\d+)/.exec(text)?.[1] ?? 60) <= SCAN_TIME,
    what: `has a scan time of more than ${SCAN_TIME} seconds`,
    why: 'a change of routes that BIRD has missed is found late',
  },
];
