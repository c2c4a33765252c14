import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { Lab } from '../lab/lab.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { ensureBuilt } from '../support/build.ts';
import { inScope } from '../support/filtered.ts';
import { packet, segmentOf, TCP, tcp, udp } from '../support/packets.ts';
import { onWire, Peers, WIRE } from '../support/peers.ts';
import { type End, passes } from '../support/probe.ts';
import { isAnswered } from '../support/silence.ts';
import { closeSockets } from '../support/syscalls.ts';
import { Wire } from '../support/wire.ts';

/** vm1 and vm3 are on h1, vm2 is on h2. */
const ONE = ['123.45.90.116', '2001:db8:12:48::116'] as const;
const TWO = ['123.45.90.117', '2001:db8:12:48::117'] as const;
const THREE = '123.45.90.118';
const NOBODY = ['123.45.90.115', '2001:db8:12:48::115'] as const;
const OUTSIDE = [INTERNET, INTERNET6] as const;
const BOTH = [0, 1] as const;

/** What Docker leaves a host with, and what a strict host has on the wire. */
const STRICT = `iptables-nft -P FORWARD DROP; ip6tables-nft -P FORWARD DROP
  sysctl -qw net.ipv4.conf.${WIRE}.rp_filter=1`;

// Both kinds of iptables take the same words.
for (const backend of ['iptables-nft', 'nftables'] as const)
  describe(`the wire between hosts of a cluster (${backend})`, () => {
    let lab: Lab;
    let peers: Peers;
    let one: Guest;
    let two: Guest;

    before(async () => {
      await ensureBuilt();
      lab = await Lab.create();
      peers = await Peers.create(lab, backend, { given: STRICT });
      one = await peers.start(1, 'vm1', ONE);
      two = await peers.start(2, 'vm2', TWO);
      await peers.start(1, 'vm3', THREE);
    });
    after(() => {
      closeSockets();
      lab.remove();
    });

    /** The ends of two domains' cables, in one family. */
    const ends = async (six: 0 | 1): Promise<{ here: End; there: End }> => ({
      here: { wire: await peers.h1.guestWire(one, ONE), ip: ONE[six] },
      there: { wire: await peers.h2.guestWire(two, TWO), ip: TWO[six] },
    });

    it('domains reach each other, and the host that each is not on reaches them', async () => {
      for (const six of BOTH) {
        expect(await one.ping(TWO[six]), `vm1 → ${TWO[six]}`).to.equal(true);
        expect(await two.ping(ONE[six]), `vm2 → ${ONE[six]}`).to.equal(true);
        expect(await peers.h1.host.ping(TWO[six]), `h1 → ${TWO[six]}`).to.equal(true);
      }
      expect(await peers.h1.drops('borrowed'), 'borrowed').to.equal(0);
      expect(await peers.h2.drops('borrowed'), 'borrowed').to.equal(0);
    });

    it('a domain reaches the host that it is not on at its own address, by way of the provider', async () => {
      expect(await one.ping(peers.h2.host.address)).to.equal(true);
      expect(await two.ping(peers.h1.host.address)).to.equal(true);
    });

    it('a domain on its bootstrap lease reaches one of another host', async () => {
      const lease = inScope(ONE[0], 50);
      await one.run(['ip', 'address', 'add', `${lease}/24`, 'dev', 'eth0']);
      expect(await one.ping(TWO[0], lease)).to.equal(true);
      await one.run(['ip', 'address', 'del', `${lease}/24`, 'dev', 'eth0']);
    });

    it('the relay: what the provider still brings to h1 goes on to h2, past others who forward nothing', async () => {
      for (const six of BOTH)
        expect(await lab.internet.ping(TWO[six]), `Internet → ${TWO[six]}`).to.equal(true);
      const tracked = await peers.h1.host.run(['conntrack', '-L', '-s', INTERNET, '-d', TWO[0]]);
      expect(tracked, 'tracked at h1').to.equal('');
    });

    it("nobody's source leaves by the wire", async () => {
      for (const six of BOTH) {
        const { here, there } = await ends(six);
        const sources = [TWO[six], NOBODY[six], OUTSIDE[six], onWire(1, six === 0 ? 4 : 6)];
        const before = await peers.h1.drops('spoofed');
        for (const source of sources)
          here.wire.send(packet(source, there.ip, 'udp', udp(4000, 4000, 'forged')));
        expect(await passes(here, there, 'udp', 4000), 'its own').to.equal(true);
        expect(there.wire.count('forged')).to.equal(0);
        // A guest's own IPv6 sends something in vain, too.
        expect(await peers.h1.drops('spoofed')).to.be.at.least(before + sources.length);
      }
    });

    it('under an address of ours comes by the wire only what lives there', async () => {
      const far = await Wire.open(
        peers.h2.host,
        WIRE,
        (await peers.h1.host.read(`/sys/class/net/${WIRE}/address`)).trim(),
      );
      for (const six of BOTH) {
        const { here } = await ends(six);
        here.wire.forget();
        const forged = (source: string) => packet(source, here.ip, 'udp', udp(4000, 4000, 'forged'));
        const count = await peers.h1.dropped('borrowed', () =>
          far.send(...[NOBODY[six], six === 0 ? THREE : ONE[1]].map(forged)),
        );
        far.send(packet(TWO[six], here.ip, 'udp', udp(4000, 4000, 'honest')));
        await here.wire.until('honest');
        expect(here.wire.count('forged')).to.equal(0);
        expect(count).to.equal(2);
      }
      const outside = await peers.h1.internetWire();
      const count = await peers.h1.dropped('borrowed', () =>
        outside.send(packet(TWO[0], ONE[0], 'udp', udp(4000, 4000, 'forged'))),
      );
      expect(count, 'from outside').to.equal(1);
    });

    it('nothing else on the wire is reached', async () => {
      for (const family of [4, 6] as const)
        expect(await isAnswered(one, onWire(2, family)), onWire(2, family)).to.equal(false);
      expect(await peers.h1.drops('elsewhere')).to.be.greaterThan(0);
    });

    it('every packet is counted once, at both ends', async () => {
      const { here, there } = await ends(0);
      const before = await Promise.all([peers.h1.total(ONE[0]), peers.h2.total(TWO[0])]);
      for (let n = 1; n <= 9; n++)
        here.wire.send(packet(here.ip, there.ip, 'udp', udp(4000, 9, `counted ${n};`)));
      await there.wire.until('counted 9;');
      const after = await Promise.all([peers.h1.total(ONE[0]), peers.h2.total(TWO[0])]);
      const [sent, received] = [
        after[0].out.packets - before[0].out.packets,
        after[1].in.packets - before[1].in.packets,
      ];
      expect({ sent, received }).to.deep.equal({ sent: 9, received: 9 });
    });

    it('TCP is told what the wire takes', async () => {
      await peers.h1.host.run(['ip', 'link', 'set', WIRE, 'mtu', '1400']);
      for (const six of BOTH) {
        const { here, there } = await ends(six);
        there.wire.forget();
        const opening = { source: here.ip, destination: there.ip, from: 4001, to: 9, flags: TCP.syn };
        here.wire.send(tcp({ ...opening, sequence: 1, maxSegment: 1460, data: '' }));
        const seen = await until(
          () =>
            there.wire
              .frames()
              .map(segmentOf)
              .find(segment => segment?.from === 4001),
          PATIENCE,
          'the opening segment',
        );
        expect(seen.maxSegment).to.equal(six === 0 ? 1360 : 1340);
      }
      await peers.h1.host.run(['ip', 'link', 'set', WIRE, 'mtu', '1500']);
    });

    it("a domain's own rules hold for what comes from another host, and for what goes there", async () => {
      for (const six of BOTH) {
        const { here, there } = await ends(six);
        await peers.h1.change('vm1', ONE, {
          rules: ['deny udp/4001', 'outbound deny udp/4002', `deny tcp/4003 from ${TWO[six]}`],
        });
        expect(await passes(there, here, 'udp', 4001), 'in').to.equal(false);
        expect(await passes(there, here, 'tcp', 4003), 'in, by its source').to.equal(false);
        expect(await passes(here, there, 'udp', 4002), 'out').to.equal(false);
        expect(await passes(there, here, 'udp', 4004)).to.equal(true);
        expect(await one.ping(TWO[six])).to.equal(true);
        expect(await two.ping(ONE[six])).to.equal(true);
      }
      await peers.h1.change('vm1', ONE, {});
    });

    it('who is isolated is so from domains of other hosts too, and from nobody else', async () => {
      await peers.h1.change('vm1', ONE, { isolate: true });
      for (const six of BOTH) {
        expect(await isAnswered(one, TWO[six])).to.equal(false);
        expect(await isAnswered(two, ONE[six])).to.equal(false);
        expect(await one.ping(OUTSIDE[six])).to.equal(true);
      }
      await peers.h1.change('vm1', ONE, {});
      expect(await one.ping(TWO[0])).to.equal(true);
    });

    it('so are all with between_domains = false', async () => {
      await peers.h1.reconfigure('between_domains = false');
      for (const six of BOTH) {
        const { here, there } = await ends(six);
        const drops = await peers.h1.dropped('between', () => {
          here.wire.send(packet(here.ip, there.ip, 'udp', udp(1, 1, 'x')));
          there.wire.send(packet(there.ip, here.ip, 'udp', udp(1, 1, 'x')));
        });
        expect(drops).to.be.greaterThan(0);
        expect(await isAnswered(two, ONE[six])).to.equal(false);
        expect(await lab.internet.ping(TWO[six]), 'the relay goes on').to.equal(true);
      }
      await peers.h1.reconfigure('');
      expect(await two.ping(ONE[0])).to.equal(true);
    });
  });
