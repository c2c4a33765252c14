import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { exchange, type Flow, Listener, udpFlow } from '../support/endpoint.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Filtered, inScope } from '../support/filtered.ts';
import { ipv4, udp } from '../support/packets.ts';
import { type End, outside, passes } from '../support/probe.ts';

const [OPEN, RULED, LEASED] = ['123.45.90.116', '123.45.90.117', '123.45.90.118'];
const LEASE = inScope(LEASED, 50);
/** New flows a second, where the machine has the time for it. */
const RATE = 30_000;
/** Fewer than the kernel's queue between two cables takes, however long we haven't been called. */
const BURST = 300;

filterSuite('a flood of 30,000 a second', ({ host }) => {
  let one: Filtered;
  let open: Guest;
  let ruled: Guest;
  let leased: Guest;
  let mine: End;
  let internet: End;

  before(async () => {
    one = await host();
    open = await one.start('vm1', OPEN);
    ruled = await one.start('vm2', RULED, { default: 'deny', rules: ['allow tcp/8080-8081', 'allow icmp'] });
    await one.prepare('vm3', LEASED);
    leased = await one.host.guest({ name: 'vm3', bridge: 'br118' });
    await leased.sh(`ip address add ${LEASE}/24 dev eth0; ip route add default via ${inScope(LEASED, 1)}`);
    mine = { wire: await one.guestWire(open, OPEN), ip: OPEN };
    internet = outside(await one.internetWire());
  });

  const entries = async () => Number(await one.host.read('/proc/sys/net/netfilter/nf_conntrack_count'));

  it('of new flows towards one domain leaves the pings of others alone, and no trace', async () => {
    const before = await entries();
    const counted = (await one.total(OPEN)).in.packets;
    const pings = ['-n', '-q', '-c50', '-i0.04', '-W1'];
    const others = [ruled, leased].map(guest => guest.run(['ping', ...pings, INTERNET]));
    await flood(2 * RATE);
    for (const answer of await Promise.all(others)) expect(answer).to.match(/ 0% packet loss/);
    expect((await one.total(OPEN)).in.packets - counted, 'it arrived').to.be.at.least(2 * RATE * 0.98);
    expect(await entries()).to.be.below(before + 100);
  });

  /** Packets of flows that nobody has seen before, at the rate of the title or what the machine can do. */
  async function flood(total: number): Promise<void> {
    const begun = performance.now();
    for (let count = 0; count < total; await sleep(1)) {
      const due = Math.min(total, (RATE * (performance.now() - begun)) / 1000, count + BURST);
      for (; count < due; count++) {
        const source = `203.0.113.${count % 250}`;
        internet.wire.send(ipv4(source, OPEN, 'udp', udp(1024 + (count % 60_000), 7, '')));
      }
    }
  }

  describe('that fills the connection tracking table', () => {
    let old: Flow;

    before(async () => {
      // What ends by itself would make room again.
      await one.host.run(['conntrack', '-F']);
      old = await new Listener(ruled, { ip: RULED, port: 8080 }).connect(one.lab.internet);
      await exchange(old);
      await fill();
      // What the flood has left in them would leave no room for more.
      for (const { wire } of [mine, internet]) wire.forget();
    });
    after(() => one.host.run(['conntrack', '-F']));

    /** The limit is the whole machine's and not to be touched; how full a table is, is the host's own. */
    async function fill(): Promise<void> {
      const limit = Number(await one.host.read('/proc/sys/net/netfilter/nf_conntrack_max'));
      // Established flows as an attacker makes them, with both ends in his hands; nothing evicts those.
      const lines = Array.from({ length: limit }, (_, index) => {
        const [client, port] = [`10.${(index >> 16) & 255}.0.1`, index & 0xffff];
        return `-A -p tcp -s ${client} -d ${RULED} --sport ${port} --dport 8080 --state ESTABLISHED --timeout 600 -u ASSURED`;
      });
      await one.host.write('/run/lab/flows', lines.join('\n'));
      // It ends for lack of room: there were some entries already.
      const { stderr } = await one.host.attempt(['conntrack', '-R', '/run/lab/flows']);
      expect(stderr).to.contain('not enough memory');
      expect(await entries()).to.be.at.least(limit);
    }

    it('harms nobody who needs no tracking: public to public, both ways, old and new', async () => {
      for (const protocol of ['tcp', 'udp', 'icmp'] as const) {
        expect(await passes(internet, mine, protocol, 80), `${protocol} in`).to.equal(true);
        expect(await passes(mine, internet, protocol, 80), `${protocol} out`).to.equal(true);
      }
      const listener = new Listener(open, { ip: OPEN, port: 8081 });
      await exchange(await listener.connect(one.lab.internet));
      expect(await open.ping(INTERNET)).to.equal(true);
    });

    it('keeps new flows from a domain with rules, and from bootstrap leases: this is what a full table does', async () => {
      const listener = new Listener(ruled, { ip: RULED, port: 8081 });
      listener.begin(one.lab.internet).close();
      expect((await leased.attempt(['ping', '-n', '-c3', '-i0.05', '-W0.3', INTERNET])).code).to.equal(1);
      expect(listener.hasCaller()).to.equal(false);
      const flow = udpFlow(ruled, { ip: RULED, port: 5000 }, one.lab.internet, { ip: INTERNET, port: 6000 });
      flow.client.send('question;');
      expect(await open.ping(INTERNET), 'to follow it').to.equal(true);
      expect(flow.server.received()).to.equal('');
    });

    it('leaves a flow alone that is in it already', () => exchange(old));

    it('is over when the table is empty again', async () => {
      await one.host.run(['conntrack', '-F']);
      expect(await leased.ping(INTERNET)).to.equal(true);
      expect(await ruled.ping(INTERNET)).to.equal(true);
    });
  });
});
