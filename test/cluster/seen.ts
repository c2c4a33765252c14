/** What is expected of moves, whatever moves. */

import { expect } from 'chai';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { INTERVAL } from '../lab/pings.ts';
import type { ClusterStage } from './stage.ts';
import type { Lost } from './travel.ts';

/** So many pings may be lost in a move, and as many more as the sender itself stood still for. */
const MOST = 3;

/**
 * Prints what was lost before it judges: figures are what these tests are run for. In brackets is the longest silence, and for
 * how long the sender stood still.
 */
export function expectFewLost(losses: readonly Lost[], what: string): void {
  console.log(`      ${what}: ${losses.map(lossWords).join(', ')}`);
  for (const { caller, address, lost, pause } of losses)
    expect(lost, `${address} from ${caller}, ${what}`).to.be.at.most(MOST + Math.round(pause / INTERVAL));
}

const lossWords = ({ caller, address, lost, gap, pause }: Lost): string =>
  `${address} from ${caller} ${lost} (${gap} ms, ${pause})`;

/** `check` finds nothing on any host, or on some. */
export async function expectGood(stage: ClusterStage, hosts = stage.cluster.hosts): Promise<void> {
  for (const host of hosts) {
    const { code, stdout } = await stage.hnet(host, 'check');
    expect([code, stdout.trim()], host.name).to.deep.equal([0, 'Everything is as it should be']);
  }
}

/** What of a domain may be on a host: files, routes, bridges, entries of sets, who answers for it, DHCP servers. */
const TRACES = `
ls /run/hnet/attachments /run/hnet/claims
[ ! -d /run/hnet/cluster/incoming ] || ls /run/hnet/cluster/incoming
for family in -4 -6; do ip $family route show proto 104; ip $family neigh show proxy; done
ip -o link show group 0x686e
nft list table inet hnet 2>/dev/null | grep -v 'chain\\|rule' || true
ipset save 2>/dev/null
pgrep -a 'dnsmasq|ndppd' || true
`;

/** The pools are the host's for good, and what the filter has noted of a bridge ends by itself. */
const STAYS = /^(blackhole|unreachable) |^add hnet[46]-(near|ours) | timeout /;

/** Nothing on the host names any of these words: addresses, bridges, a UUID. */
export async function expectGone(host: Hypervisor, words: readonly string[]): Promise<void> {
  const traces = (await host.sh(TRACES)).split('\n');
  const left = traces.filter(line => !STAYS.test(line) && words.some(word => line.includes(word)));
  expect(left, `left on ${host.name}`).to.deep.equal([]);
}
