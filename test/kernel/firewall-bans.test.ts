import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { BOTH, FAMILIES, type Places } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { packet, udp } from '../support/packets.ts';
import { outside, passes } from '../support/probe.ts';
import { POOLS6 } from '../support/scene.ts';
import type { Wire } from '../support/wire.ts';

/** What others put before everything else in FORWARD, in the words of either family's iptables. */
const BANS: Readonly<Record<string, (tool: string, banned: string, family: string) => string>> = {
  'a rule before everything': (tool, banned) => `${tool} -I FORWARD -s ${banned} -j DROP`,
  'a set of fail2ban': (tool, banned, family) => `ipset create f2b-${family} hash:ip family ${family}
    ipset add f2b-${family} ${banned}; ${tool} -I FORWARD -m set --match-set f2b-${family} src -j REJECT`,
  'DOCKER-USER': (tool, banned) => `${tool} -N DOCKER-USER; ${tool} -N DOCKER-FORWARD
    ${tool} -A DOCKER-USER -s ${banned} -j DROP; ${tool} -A DOCKER-FORWARD -i docker0 -j ACCEPT
    ${tool} -A FORWARD -j DOCKER-USER; ${tool} -A FORWARD -j DOCKER-FORWARD; ${tool} -P FORWARD DROP`,
  'ufw route deny': (tool, banned) => `${tool} -N ufw-user-forward; ${tool} -N ufw-before-forward
    ${tool} -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    ${tool} -A ufw-before-forward -j ufw-user-forward; ${tool} -A ufw-user-forward -s ${banned} -j DROP
    ${tool} -A FORWARD -j ufw-before-forward; ${tool} -P FORWARD DROP`,
  'a ban, a REJECT at the end and an accept of all bridges': (
    tool,
    banned,
  ) => `${tool} -A FORWARD -s ${banned} -j DROP
    ${tool} -A FORWARD -i br+ -j ACCEPT; ${tool} -A FORWARD -j REJECT`,
  'an accept of all bridges before a ban': (tool, banned) => `${tool} -A FORWARD -i br+ -j ACCEPT
    ${tool} -A FORWARD -s ${banned} -j DROP`,
};

const TOOLS = [
  ['iptables', 'inet'],
  ['ip6tables', 'inet6'],
] as const;

const CLEAR = `for tool in iptables ip6tables; do $tool -P FORWARD ACCEPT; $tool -F; $tool -X; done
  ipset list -n | grep ^f2b | xargs -r -n1 ipset destroy`;

filterSuite('what others drop stays dropped', ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let wires: Readonly<Record<'mine' | 'neighbour' | 'internet', Wire>>;

  before(async () => {
    one = await host({ pools: POOLS6, firewall: 'outbound_deny = ["tcp/25"]' });
    guest = await one.start('vm1', BOTH.mine);
    const other = await one.start('vm2', BOTH.neighbour, { isolate: true });
    wires = {
      mine: await one.guestWire(guest, BOTH.mine),
      neighbour: await one.guestWire(other, BOTH.neighbour),
      internet: await one.internetWire(),
    };
  });
  afterEach(() => one.host.sh(CLEAR));

  for (const [what, script] of Object.entries(BANS)) {
    it(`${what}; and what we drop too`, async () => {
      for (const [index, [tool, family]] of TOOLS.entries())
        await one.host.sh(script(tool, FAMILIES[index]?.foreign ?? '', family));
      await one.scene.base();
      for (const places of FAMILIES) await expectBan(places);
    });
  }

  async function expectBan({ family, mine, neighbour, foreign, outsider, internet }: Places): Promise<void> {
    const [here, there] = [{ wire: wires.mine, ip: mine }, outside(wires.internet, internet)];
    const inbound = (source: string) => passes(there, here, 'tcp', 80, { source });
    expect(await inbound(foreign), `IPv${family}: banned`).to.equal(false);
    expect(await inbound(outsider), `IPv${family}: in`).to.equal(true);
    expect(await passes(here, there, 'tcp', 80), `IPv${family}: out`).to.equal(true);
    expect(await passes(here, there, 'tcp', 25), `IPv${family}: what we deny`).to.equal(false);
    await one.dropped('isolated', () =>
      wires.mine.send(packet(mine, neighbour, 'udp', udp(1, 1, 'isolated'))),
    );
    expect(wires.neighbour.count('isolated')).to.equal(0);
  }
});
