import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { UNSEEN } from '../../src/firewall/rules/sets.ts';
import type { Guest } from '../lab/guest.ts';
import { Pings } from '../lab/pings.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { udpFlow } from '../support/endpoint.ts';
import { FAMILIES } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { packet, udp } from '../support/packets.ts';
import { POOLS6 } from '../support/scene.ts';
import type { Wire } from '../support/wire.ts';

/** What of a subnet is in use, and any address of it. */
const SUBNETS = [
  {
    subnet: '123.45.91.0/24',
    of: (number: number): string => `123.45.91.${number % 256}`,
    used: '123.45.91.7',
    silent: '123.45.91.8',
    late: '123.45.91.9',
    internet: INTERNET,
    from: '203.0.113.9',
  },
  {
    subnet: '2001:db8:12:4901::/64',
    of: (number: number): string => `2001:db8:12:4901::${(number + 16).toString(16)}`,
    used: '2001:db8:12:4901::7',
    silent: '2001:db8:12:4901::8',
    late: '2001:db8:12:4901::9',
    internet: INTERNET6,
    from: '2001:db8:9::9',
  },
] as const;
const [PORT, OPEN] = [9, 7];

filterSuite(
  'a scan of a subnet that one domain holds',
  ({ host }) => {
    const own = ['123.45.90.118', '2001:db8:12:48::118'];
    const all = [...own, ...SUBNETS.map(({ subnet }) => subnet)];
    const single = FAMILIES.map(({ mine }) => mine);
    let one: Filtered;
    let guest: Guest;
    let other: Guest;
    let internet: Wire;
    let neighbour: Wire;

    before(async () => {
      one = await host({ pools: ['123.45.91.0/24', ...POOLS6] });
      guest = await one.start('vm1', all);
      other = await one.start('vm2', single);
      internet = await one.internetWire();
      neighbour = await one.guestWire(other, single);
      for (const { used, internet: far } of SUBNETS) {
        await adopt(used);
        expect(await guest.ping(far, used)).to.equal(true);
      }
      for (const { internet: far } of SUBNETS) expect(await other.ping(far)).to.equal(true);
    });

    const adopt = (ip: string) =>
      guest.run([
        'ip',
        'address',
        'add',
        ...(ip.includes(':') ? [`${ip}/128`, 'nodad'] : [`${ip}/32`]),
        'dev',
        'eth0',
      ]);

    /** The neighbour table of a family is one for all bridges, and for all that goes on on the machine. */
    const forget = (family: number) =>
      one.host.run(['ip', `-${family}`, 'neigh', 'flush', 'nud', 'all', 'dev', 'br118']);

    /** How many of a subnet's addresses that are not in use have an entry. */
    async function entries({ subnet, used, silent, late }: (typeof SUBNETS)[number]): Promise<number> {
      const all = await one.host.run(['ip', 'neigh', 'show', 'nud', 'all', 'dev', 'br118', 'to', subnet]);
      const inUse = new Set<string>([used, silent, late]);
      return all.split('\n').filter(line => line !== '' && !inUse.has(line.split(' ')[0] ?? '')).length;
    }

    /** So many rounds through 256 addresses, one packet a time. */
    async function sweep(rounds: number, send: (number: number) => void): Promise<void> {
      for (let number = 0; number < rounds * 256; number++) {
        send(number);
        if (number % 32 === 0) await sleep(1);
      }
    }

    /** How many entries a scan may have made that has lasted so long, in milliseconds. */
    const most = (begun: number): number =>
      UNSEEN.packets * (2 + Math.floor((performance.now() - begun) / 1000 / UNSEEN.seconds));

    for (const [index, place] of SUBNETS.entries()) {
      const { of, from, used, silent, late, internet: far } = place;
      const { family } = FAMILIES[index] ?? { family: 4 };
      const probe = (number: number, port = PORT) =>
        packet(from, of(number), 'udp', udp(1024 + number, port, ''));

      it(`makes few entries in the neighbour table, and nothing in use loses a packet (IPv${family})`, async () => {
        await forget(family);
        const pings = await Promise.all(
          [used, own[index] ?? '', single[index] ?? ''].map(ip => Pings.start(one.lab.internet, ip)),
        );
        const dropped = await one.drops('unseen');
        const begun = performance.now();
        await sweep(4, number => internet.send(probe(number)));
        expect(await entries(place)).to.be.within(1, most(begun));
        await until(async () => (await one.drops('unseen')) - dropped >= 256, PATIENCE, 'the drops');
        for (const one of pings) {
          await one.more(20);
          expect((await one.stop()).lost).to.equal(0);
        }
      });

      it(`spares who has sent nothing before, once it does (IPv${family})`, async () => {
        await adopt(late);
        let scanning = true;
        const scanned = (async () => {
          while (scanning) await sweep(1, number => internet.send(probe(number)));
        })();
        const answered = await guest.run(['ping', '-n', '-q', '-c20', '-i0.02', '-W2', '-I', late, far]);
        const called = await one.lab.internet.run(['ping', '-n', '-q', '-c20', '-i0.02', '-W2', late]);
        scanning = false;
        await scanned;
        for (const said of [answered, called]) expect(said).to.match(/ 0% packet loss/);
      });

      it(`is no stream to an address that never answers: that passes whole (IPv${family})`, async () => {
        await adopt(silent);
        const places = [
          { ip: far, port: 6000 },
          { ip: silent, port: 5000 },
        ] as const;
        const { client, server } = udpFlow(one.lab.internet, places[0], guest, places[1]);
        // After a scan it takes a while until there is room for another address.
        const arrives = (): boolean => {
          client.send('?');
          return server.received() !== '';
        };
        await until(arrives, PATIENCE, 'the first datagram');
        const begun = performance.now();
        let sent = 0;
        // Longer than an address that was sent something is remembered.
        for (; performance.now() - begun < (UNSEEN.seconds + 1) * 1000; sent++) {
          client.send('.');
          await sleep(5);
          // Its buffer takes some hundred.
          server.received();
        }
        client.send('!');
        await server.until('!');
        expect(server.received().replaceAll('?', '')).to.have.lengthOf(sent + 1);
        for (const end of [client, server]) end.close();
      });

      it(`by another domain is limited, too (IPv${family})`, async () => {
        await forget(family);
        const begun = performance.now();
        const source = single[index] ?? '';
        const dropped = await one.drops('unseen');
        await sweep(4, number => neighbour.send(packet(source, of(number), 'udp', udp(1024, PORT, ''))));
        expect(await entries(place)).to.be.within(1, most(begun));
        await until(async () => (await one.drops('unseen')) - dropped >= 256, PATIENCE, 'the drops');
      });

      it(`is limited after the rules of a domain, which drop without a trace (IPv${family})`, async () => {
        await one.change('vm1', all, { default: 'deny', rules: [`allow udp/${OPEN}`, 'allow icmp'] });
        await forget(family);
        const dropped = await one.drops('unseen');
        await sweep(2, number => internet.send(probe(number)));
        expect(await entries(place)).to.equal(0);
        expect(await one.drops('unseen')).to.equal(dropped);
        const pings = await Pings.start(one.lab.internet, used);
        const begun = performance.now();
        await sweep(4, number => internet.send(probe(number, OPEN)));
        expect(await entries(place)).to.be.within(1, most(begun));
        await until(async () => (await one.drops('unseen')) - dropped >= 256, PATIENCE, 'the drops');
        await pings.more(20);
        expect((await pings.stop()).lost).to.equal(0);
        await one.change('vm1', all, {});
      });
    }

    it('is nothing to repair, and a repair forgets nobody who is in use', async () => {
      const pings = await Promise.all(SUBNETS.map(({ used }) => Pings.start(one.lab.internet, used)));
      for (const { of, from } of SUBNETS)
        await sweep(2, number => internet.send(packet(from, of(number), 'udp', udp(1, PORT, ''))));
      expect(await one.sync()).to.equal('');
      for (const one of pings) {
        await one.more(20);
        expect((await one.stop()).lost).to.equal(0);
      }
    });
  },
  ['iptables-nft', 'nftables'],
);
