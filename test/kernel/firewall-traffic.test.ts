import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Filtered, inScope, type Total } from '../support/filtered.ts';
import { ipv4, udp } from '../support/packets.ts';
import { type End, outside } from '../support/probe.ts';

const [MINE, NEIGHBOUR, LEASE] = ['123.45.90.116', '123.45.90.117', inScope('123.45.90.116', 50)];
/** What a packet of these tests counts: the IP packet, with its header. */
const SIZE = 20 + 8 + 100;

filterSuite('traffic', ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let mine: End;
  let neighbour: End;
  let internet: End;
  /** What has to be counted by now. */
  const expected: Record<string, { in: number; out: number }> = {};

  before(async () => {
    one = await host();
    guest = await one.start('vm1', MINE);
    const other = await one.start('vm2', NEIGHBOUR);
    mine = { wire: await one.guestWire(guest, MINE), ip: MINE };
    neighbour = { wire: await one.guestWire(other, NEIGHBOUR), ip: NEIGHBOUR };
    internet = outside(await one.internetWire());
    // Nothing is to answer, or answers would count too.
    for (const machine of [guest, other, one.lab.internet]) await silence(machine);
    for (const ip of [MINE, NEIGHBOUR]) expected[ip] = { in: 0, out: 0 };
  });

  after(async () => {
    await one.lab.internet.attempt(['iptables-legacy', '-F', 'OUTPUT']);
    await one.lab.internet.attempt(['iptables-legacy', '-P', 'OUTPUT', 'ACCEPT']);
  });

  const silence = (machine: Guest | Filtered['lab']['internet']) =>
    machine.run(['iptables-legacy', '-A', 'OUTPUT', '-p', 'icmp', '-j', 'DROP']);

  /** Sends packets of one flow from end to end, and waits until the last of them is there. */
  async function flow(from: End, to: End, count: number, source = from.ip, port = 4000): Promise<void> {
    for (let n = 1; n <= count; n++)
      from.wire.send(ipv4(source, to.ip, 'udp', udp(port, port, `packet ${n} `.padEnd(100, '.'))));
    await to.wire.until(`packet ${count} `);
    to.wire.forget();
    const [ours, theirs] = [expected[source], expected[to.ip]];
    if (ours !== undefined) ours.out += count;
    if (theirs !== undefined) theirs.in += count;
  }

  /** Every address has exactly what was sent to it and by it. */
  async function check(): Promise<void> {
    for (const [ip, { in: received, out: sent }] of Object.entries(expected))
      expect(await one.total(ip), ip).to.deep.equal(total(received, sent));
  }

  it('counts each packet once, both ways: untracked', async () => {
    await flow(internet, mine, 10);
    await flow(mine, internet, 7);
    await check();
  });

  it('between domains, at both', async () => {
    await flow(mine, neighbour, 5);
    await flow(neighbour, mine, 3);
    await check();
  });

  it('of the bootstrap lease, at no public address', async () => {
    await guest.run(['ip', 'address', 'add', `${LEASE}/24`, 'dev', 'eth0']);
    await flow(mine, internet, 4, LEASE);
    await flow(internet, { ...mine, ip: one.host.address }, 4);
    await check();
  });

  it('tracked: the first packet and those of the established flow, one way and the other', async () => {
    await one.change('vm1', MINE, { rules: ['allow udp/4000'] });
    await flow(internet, mine, 6);
    await flow(mine, internet, 8);
    await flow(mine, neighbour, 2);
    await flow(neighbour, mine, 9);
    await check();
  });

  it('also what the rules of the domain drop, for the provider counts it too', async () => {
    await one.change('vm1', MINE, { rules: ['deny udp/4001'] });
    await one.dropped('policy', () =>
      internet.wire.send(ipv4(INTERNET, MINE, 'udp', udp(4001, 4001, 'x'.repeat(100)))),
    );
    (expected[MINE] ?? { in: 0 }).in += 1;
    await check();
  });

  it('but not what somebody else sent under the address', async () => {
    await one.dropped('spoofed', () => neighbour.wire.send(ipv4(MINE, INTERNET, 'udp', udp(1, 1, ''))));
    await one.dropped('borrowed', () => internet.wire.send(ipv4(NEIGHBOUR, MINE, 'udp', udp(1, 1, ''))));
    await check();
  });

  it('once, whatever is done about it: sync, sync again, a change of rules', async () => {
    await one.sync();
    await check();
    await flow(internet, mine, 5);
    await one.sync();
    await one.change('vm1', MINE, { rules: ['deny udp/4002'] });
    await check();
    await flow(mine, internet, 5);
    await one.sync();
    await check();
  });

  it('once, though the chains and jumps were lost and are set up anew', async () => {
    await one.host.sh(
      one.backend === 'nftables'
        ? 'nft delete chain ip hnet raw-prerouting; nft flush chain ip hnet hnet-arriving'
        : 'for table in raw mangle nat; do iptables -t $table -F; done',
    );
    await one.sync();
    await flow(internet, mine, 4);
    await flow(mine, internet, 4);
    await check();
  });

  it('once, though the counters were lost: what was added up stays, and more is added', async () => {
    await one.sync();
    await one.host.sh(
      one.backend === 'nftables' ? 'nft flush ruleset' : 'ipset flush hnet4-in; ipset flush hnet4-out',
    );
    await one.sync();
    await check();
    // More than there was before, so that the new count can't be taken for the old one.
    await flow(internet, mine, 60);
    await flow(mine, internet, 60);
    await check();
    await one.sync();
    await check();
  });

  it('in total, over stop and start', async () => {
    await guest.unplug();
    await one.release('vm1', MINE);
    await one.prepare('vm1', MINE, {});
    await check();
    const again = await one.host.guest({ name: 'again', bridge: 'br116' });
    await again.static(MINE, one.host.address);
    await silence(again);
    mine = { wire: await one.guestWire(again, MINE), ip: MINE };
    await flow(internet, mine, 3);
    await flow(mine, neighbour, 3);
    await check();
  });

  it('from zero, for the next owner of the address', async () => {
    await one.release('vm1', MINE);
    await one.prepare('vm3', MINE);
    expect(await one.total(MINE)).to.deep.equal(total(0, 0));
  });
});

const total = (received: number, sent: number): Total => ({
  in: { packets: received, bytes: received * SIZE },
  out: { packets: sent, bytes: sent * SIZE },
});
