import { expect } from 'chai';
import { setNames } from '../../src/firewall/rules/sets.ts';
import { format } from '../../src/model/address.ts';
import { nth, size } from '../../src/model/prefix.ts';
import { RESERVED } from '../../src/model/reserved.ts';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { exchange, Listener, udpFlow } from '../support/endpoint.ts';
import { BOTH, FAMILIES, SIX } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Filtered, inScope, type PolicyWords } from '../support/filtered.ts';
import { ipv4, numbered, packet, piece, sctp, udp } from '../support/packets.ts';
import { type End, icmpError, outside, passes } from '../support/probe.ts';
import { POOLS6 } from '../support/scene.ts';
import type { Wire } from '../support/wire.ts';

const [MINE, NEIGHBOUR, LEASE] = ['123.45.90.116', '123.45.90.117', inScope('123.45.90.116', 50)];
/** An address of each range that the Internet doesn't route, but for that of the pool. */
const RESERVED_HERE = [...RESERVED[4], ...RESERVED[6]]
  .map(range => format(nth(range, 0x10203n & (size(range) - 1n))))
  .filter(one => !one.startsWith('2001:db8:'));
/** More than one match of iptables takes, with ranges in between. */
const MANY = Array.from({ length: 20 }, (_, index) =>
  index % 4 === 3 ? `${index * 10}-${index * 10 + 4}` : `${index * 10 + 1}`,
);

const NUMBERS: Readonly<Record<string, number>> = { esp: 50, ah: 51, gre: 47, ipip: 4 };
const numberIn = (what: string): number => NUMBERS[what] ?? Number(what);

filterSuite("a domain's rules", ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  /** The guest's, its neighbour's, the far end's. */
  let wires: readonly [Wire, Wire, Wire];

  before(async () => {
    one = await host({ pools: POOLS6 });
    guest = await one.start('vm1', BOTH.mine);
    const other = await one.start('vm2', BOTH.neighbour);
    wires = [
      await one.guestWire(guest, BOTH.mine),
      await one.guestWire(other, BOTH.neighbour),
      await one.internetWire(),
    ];
  });

  const set = (policy: PolicyWords) => one.change('vm1', BOTH.mine, policy);

  /** Whether no domain is left whose new flows may be older than its rules. */
  async function isSettled(): Promise<boolean> {
    const { sets } = await one.look();
    const settling = FAMILIES.map(({ family }) => sets.get(setNames(family).settling));
    return settling.every(entries => entries !== undefined && entries !== 'unread' && entries.size === 0);
  }

  for (const places of FAMILIES) {
    describe(`in IPv${places.family}`, () => {
      let mine: End;
      let neighbour: End;
      let internet: End;

      before(async () => {
        const [guestWire, otherWire, internetWire] = wires;
        mine = { wire: guestWire, ip: places.mine };
        neighbour = { wire: otherWire, ip: places.neighbour };
        internet = outside(internetWire, places.internet);
        await set({ default: 'deny' });
        await until(isSettled, PATIENCE, 'older flows to be over');
      });

      const inbound = (protocol: Parameters<typeof passes>[2], port?: number, source = places.internet) =>
        passes(internet, mine, protocol, port, { source });
      const outbound = (protocol: Parameters<typeof passes>[2], port?: number) =>
        passes(mine, internet, protocol, port);
      /** What has no ports is one flow between two addresses. */
      const forgetFlows = () => one.host.run(['conntrack', '-F']);

      it('of which there are none but "default deny" let nothing in, from nobody', async () => {
        for (const protocol of ['tcp', 'udp', 'icmp'] as const) {
          expect(await inbound(protocol, 80), protocol).to.equal(false);
          expect(await passes(neighbour, mine, protocol, 80), `${protocol} from a neighbour`).to.equal(false);
          expect(await outbound(protocol, 80), `${protocol} outbound`).to.equal(true);
          expect(await passes(mine, neighbour, protocol, 80), `${protocol} to a neighbour`).to.equal(true);
        }
      });

      it('let in the answers to what the domain opened: TCP, UDP, ping', async () => {
        const listener = new Listener(one.lab.internet, { ip: places.internet, port: 8000 });
        await exchange(await listener.connect(guest));
        await exchange(
          udpFlow(guest, { ip: places.mine, port: 5000 }, one.lab.internet, {
            ip: places.internet,
            port: 6000,
          }),
        );
        for (const address of [places.internet, places.neighbour, places.host])
          expect(await guest.ping(address), address).to.equal(true);
        listener.close();
      });

      it('let in ICMP errors, which path MTU discovery lives by', async () => {
        internet.wire.send(
          packet(places.internet, places.mine, 'icmp', icmpError(places.mine, places.internet, 'too big')),
        );
        await mine.wire.until('too big');
      });

      it('allow what they name, and from where they say', async () => {
        const { foreign, foreignNet, outsider } = places;
        await set({
          default: 'deny',
          rules: [`allow tcp/22 from ${foreignNet}`, `allow udp/53 from ${outsider}`],
        });
        expect(await inbound('tcp', 22, foreign)).to.equal(true);
        expect(await inbound('tcp', 22, outsider)).to.equal(false);
        expect(await inbound('tcp', 23, foreign)).to.equal(false);
        expect(await inbound('udp', 22, foreign)).to.equal(false);
        expect(await inbound('udp', 53, outsider)).to.equal(true);
        expect(await inbound('udp', 53, foreign)).to.equal(false);
      });

      it('take lists and ranges of ports, and more than fifteen', async () => {
        await set({ default: 'deny', rules: [`allow tcp/${MANY.join(',')}`] });
        for (const port of [1, 11, 21, 30, 32, 34, 81, 151, 190, 192, 194])
          expect(await inbound('tcp', port), String(port)).to.equal(true);
        for (const port of [2, 29, 35, 189, 195, 200])
          expect(await inbound('tcp', port), String(port)).to.equal(false);
        expect(await inbound('udp', 1)).to.equal(false);
      });

      it(`mean anybody by ${places.everybody}, of this family alone`, async () => {
        const [other] = FAMILIES.filter(({ family }) => family !== places.family);
        await set({
          default: 'deny',
          rules: [
            `allow tcp/80 from ${places.everybody}`,
            `allow tcp/81 from ${other?.everybody}`,
            'allow tcp/82',
          ],
        });
        expect(await inbound('tcp', 80, places.foreign)).to.equal(true);
        expect(await passes(neighbour, mine, 'tcp', 80)).to.equal(true);
        expect(await inbound('tcp', 81)).to.equal(false);
        expect(await inbound('tcp', 82)).to.equal(true);
        await set({ rules: [`deny tcp/80 from ${other?.everybody}`, 'deny tcp/82'] });
        expect(await inbound('tcp', 80)).to.equal(true);
        expect(await inbound('tcp', 82)).to.equal(false);
      });

      it('are ordered: the first that matches decides', async () => {
        await set({ rules: ['allow udp/2000', 'deny udp/1024-2047', 'allow udp/2001'] });
        expect(await inbound('udp', 2000)).to.equal(true);
        expect(await inbound('udp', 2001)).to.equal(false);
        expect(await inbound('udp', 2048)).to.equal(true);
        expect(await inbound('tcp', 2001)).to.equal(true);
      });

      it('name protocols without ports, or none', async () => {
        await set({
          default: 'deny',
          rules: [`deny any from ${places.foreignNet}`, 'allow icmp', 'allow udp'],
        });
        expect(await inbound('icmp', 0, places.foreign)).to.equal(false);
        expect(await inbound('icmp')).to.equal(true);
        expect(await inbound('udp', 7)).to.equal(true);
        expect(await inbound('tcp', 7)).to.equal(false);
      });

      it('name every other protocol, by word or number, and mean no other by it', async () => {
        for (const [named, others] of [
          [
            ['esp', '47', '0', '135', '255'],
            ['51', '4', '60', '99'],
          ],
          [
            ['ah', 'ipip', '60', '99'],
            ['50', 'gre', '0', '135', '255'],
          ],
        ] as const) {
          await set({ default: 'deny', rules: named.map(what => `allow ${what}`) });
          for (const [whats, passing] of [
            [named, true],
            [others, false],
          ] as const)
            for (const what of whats) {
              await forgetFlows();
              expect(await inbound(numberIn(what)), `${what}, ${named} allowed`).to.equal(passing);
            }
        }
        await set({ rules: [...['gre', 'ah', '0'].map(what => `outbound deny ${what}`), 'deny 99'] });
        await forgetFlows();
        for (const what of ['gre', 'ah', '0']) {
          expect(await outbound(numberIn(what)), what).to.equal(false);
          expect(await inbound(numberIn(what)), what).to.equal(true);
        }
        for (const what of ['esp', 'ipip']) expect(await outbound(numberIn(what)), what).to.equal(true);
        const denied = numbered(places.internet, places.mine, 99, Buffer.from('forged packet'));
        expect(await one.dropped('policy', () => internet.wire.send(denied))).to.equal(1);
      });

      it('name ports of SCTP, for whole packets, and let in the answers', async () => {
        await set({ default: 'deny', rules: ['allow sctp/38412-38420'] });
        expect(await inbound('sctp', 38_412)).to.equal(true);
        expect(await inbound('sctp', 38_420)).to.equal(true);
        expect(await inbound('sctp', 38_421)).to.equal(false);
        expect(await inbound('udp', 38_412)).to.equal(false);
        const [ask, answer] = [sctp(5000, 6000, 77, 'question'), sctp(6000, 5000, 78, 'answer', 77)];
        mine.wire.send(numbered(places.mine, places.internet, 132, ask));
        await internet.wire.until('question');
        internet.wire.send(numbered(places.internet, places.mine, 132, answer));
        await mine.wire.until('answer');
        await set({ rules: ['deny sctp/7000'] });
        const whole = sctp(4000, 7000, 79, `forged packet ${'x'.repeat(32)}`);
        const part = (from: number, to: number, more: boolean) =>
          piece(places.internet, places.mine, whole.subarray(from, to), {
            id: 78,
            offset: from,
            more,
            of: 'sctp',
          });
        const pieces = [part(16, whole.length, false), part(0, 16, true)];
        expect(await one.dropped('policy', () => internet.wire.send(...pieces))).to.equal(1);
        expect(mine.wire.count('forged packet')).to.equal(0);
      });

      it('hold for what leaves: to the Internet and to neighbours', async () => {
        await set({
          rules: [
            `outbound allow tcp/25 to ${places.internet}`,
            'outbound deny tcp/25',
            'outbound deny udp/53',
          ],
        });
        expect(await outbound('tcp', 25)).to.equal(true);
        expect(await passes(mine, neighbour, 'tcp', 25)).to.equal(false);
        expect(await outbound('tcp', 26)).to.equal(true);
        expect(await outbound('udp', 53)).to.equal(false);
        expect(await passes(mine, neighbour, 'udp', 53)).to.equal(false);
        expect(await inbound('tcp', 25)).to.equal(true);
      });

      it('are asked about whole datagrams: a port in a second fragment is no way round', async () => {
        await set({ rules: ['deny udp/53'] });
        const datagram = udp(4000, 53, `forged packet ${'x'.repeat(32)}`);
        const part = (from: number, to: number, more: boolean) =>
          piece(places.internet, places.mine, datagram.subarray(from, to), { id: 77, offset: from, more });
        const first = part(0, 8, true);
        const second = part(8, datagram.length, false);
        expect(await one.dropped('policy', () => internet.wire.send(first, second))).to.equal(1);
        expect(await one.dropped('policy', () => internet.wire.send(second, first))).to.equal(1);
        expect(await inbound('udp', 54)).to.equal(true);
        expect(mine.wire.count('forged packet')).to.equal(0);
      });

      it('isolate it from its neighbours alone, whichever of the two is isolated', async () => {
        for (const policy of [{ isolate: true }, { isolate: true, rules: ['allow tcp/80'] }] as const) {
          await set(policy);
          // An ICMP error is dropped here too, so that none can follow.
          const count = await one.dropped('isolated', () => {
            neighbour.wire.send(packet(places.neighbour, places.mine, 'udp', udp(1, 1, 'forged packet')));
            mine.wire.send(packet(places.mine, places.neighbour, 'udp', udp(1, 1, 'forged packet')));
          });
          expect(count).to.equal(2);
          for (const { wire } of [mine, neighbour]) expect(wire.count('forged packet')).to.equal(0);
          expect(await inbound('tcp', 80)).to.equal(true);
          expect(await outbound('tcp', 80)).to.equal(true);
        }
        await set({});
        expect(await passes(neighbour, mine, 'udp', 1)).to.equal(true);
        expect(await passes(mine, neighbour, 'udp', 1)).to.equal(true);
      });
    });
  }

  it('hold for the bootstrap lease too, and so does isolation', async () => {
    const [wire, otherWire, internetWire] = wires;
    const [lease, neighbour] = [
      { wire, ip: LEASE },
      { wire: otherWire, ip: NEIGHBOUR },
    ];
    const internet = outside(internetWire);
    await set({ rules: ['outbound deny udp/53'] });
    await guest.run(['ip', 'address', 'replace', `${LEASE}/24`, 'dev', 'eth0']);
    expect(await passes(lease, internet, 'udp', 54)).to.equal(true);
    expect(await passes(lease, internet, 'udp', 53)).to.equal(false);
    expect(await passes(lease, neighbour, 'udp', 53)).to.equal(false);
    expect(await passes(lease, neighbour, 'udp', 54)).to.equal(true);
    await set({ isolate: true });
    const count = await one.dropped('isolated', () => {
      otherWire.send(ipv4(inScope(NEIGHBOUR, 50), MINE, 'udp', udp(1, 1, 'forged packet')));
      wire.send(ipv4(LEASE, NEIGHBOUR, 'udp', udp(1, 1, 'forged packet')));
    });
    expect(count).to.equal(2);
  });

  it('gone, the domain is as open as it was without', async () => {
    const [wire, , internetWire] = wires;
    await set({});
    for (const { mine, internet } of FAMILIES)
      for (const protocol of ['tcp', 'udp', 'icmp'] as const)
        expect(await passes(outside(internetWire, internet), { wire, ip: mine }, protocol, 53)).to.equal(
          true,
        );
    const rules = await one.look('brief');
    expect([...rules.chains.keys()].filter(name => /hnet-(in|out)-/.test(name))).to.deep.equal([]);
  });
});

filterSuite('host-wide', ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let mine: End;
  let internet: End;
  let neighbour: End;

  before(async () => {
    const denied = '"tcp/25", "udp/100-200,300", "203.0.114.0/24", "2001:db8:a::/48", "123.45.90.118"';
    const firewall = `outbound_deny = [${denied}]\nhost_access = "dhcp-only"\n[dhcp]\ndns = ["10.9.9.9"]\nntp = ["10.9.9.8", "fd00::8"]\nboot_server = "10.9.9.7"\nboot_file = "a"\n`;
    one = await host({ pools: POOLS6, firewall });
    guest = await one.start('vm1', BOTH.mine);
    mine = { wire: await one.guestWire(guest, MINE), ip: MINE };
    const other = await one.start('vm2', NEIGHBOUR);
    neighbour = { wire: await one.guestWire(other, NEIGHBOUR), ip: NEIGHBOUR };
    internet = outside(await one.internetWire());
  });

  /** Packets to these places, from the domain's address of their family and from its lease. */
  const question = (target: string, from = target.includes(':') ? SIX.mine : MINE) =>
    packet(from, target, 'udp', udp(1, 1, `to ${target} from ${from};`));
  const questions = (targets: readonly string[]) =>
    targets.flatMap(target => [question(target), ...(target.includes(':') ? [] : [question(target, LEASE)])]);
  /** What of them has left the host, once another packet has. */
  async function leaving(targets: readonly string[]): Promise<string[]> {
    const provider = await one.providerWire();
    mine.wire.send(...questions(targets), question(INTERNET));
    await provider.until(`to ${INTERNET} from ${MINE};`);
    const left = targets.filter(target => provider.count(`to ${target} from `) > 0);
    provider.close();
    return left;
  }
  const drops = (cause: 'outbound' | 'reserved', targets: readonly string[]) =>
    one.dropped(cause, () => mine.wire.send(...questions(targets)));

  it('outbound_deny takes subnets of both families, and neighbours', async () => {
    await guest.run(['ip', 'address', 'replace', `${LEASE}/24`, 'dev', 'eth0']);
    await one.prepare('vm3', '123.45.90.118');
    const denied = ['203.0.114.9', '2001:db8:a::9', '123.45.90.118'];
    expect(await drops('outbound', denied)).to.equal(5);
    expect(await leaving([...denied, '203.0.115.9', '2001:db8:b::9'])).to.deep.equal([
      '203.0.115.9',
      '2001:db8:b::9',
    ]);
    await one.release('vm3', '123.45.90.118');
  });

  it('what the Internet does not route stays here, where the uplink is public', async () => {
    expect(await drops('reserved', [...RESERVED_HERE])).to.equal(12 * 2 + 7);
    // A pool lies in that range, and the others are needed.
    const needed = [
      '2001:db8:9::9',
      '10.9.9.9',
      '10.9.9.8',
      'fd00::8',
      '10.9.9.7',
      '11.0.0.1',
      '2001:4860::1',
    ];
    expect(await leaving([...RESERVED_HERE, ...needed])).to.deep.equal(needed);
    // Neither what was dropped nor what was let out is tracked.
    const flows = await one.host.run(['conntrack', '-L']);
    for (const ip of ['10.9.9.9', '10.9.9.7', '192.168.0.1'])
      expect(flows).not.to.contain(`src=${MINE} dst=${ip} `);
  });

  it('and where the domain has rules', async () => {
    await one.change('vm1', BOTH.mine, { rules: ['deny tcp/99'] });
    expect(await drops('reserved', ['192.168.0.1', 'fd00::1'])).to.equal(3);
    expect(await leaving(['192.168.0.1', 'fd00::1'])).to.deep.equal([]);
    await one.change('vm1', BOTH.mine, {});
  });

  it('outbound_deny holds for all, outside and at neighbours, on the lease too', async () => {
    await guest.run(['ip', 'address', 'replace', `${LEASE}/24`, 'dev', 'eth0']);
    for (const from of [mine, { ...mine, ip: LEASE }])
      for (const to of [internet, neighbour]) {
        for (const [protocol, port] of [
          ['tcp', 25],
          ['udp', 100],
          ['udp', 200],
          ['udp', 300],
        ] as const)
          expect(await passes(from, to, protocol, port), `${from.ip} ${to.ip} ${protocol}/${port}`).to.equal(
            false,
          );
        for (const [protocol, port] of [
          ['tcp', 26],
          ['udp', 25],
          ['udp', 299],
        ] as const)
          expect(await passes(from, to, protocol, port), `${from.ip} ${to.ip} ${protocol}/${port}`).to.equal(
            true,
          );
      }
    expect(await passes(internet, mine, 'tcp', 25)).to.equal(true);
  });

  it('host_access = "dhcp-only": pings and DHCP alone reach the host, on whichever of its addresses', async () => {
    for (const address of [one.host.address, inScope(MINE, 1)]) {
      const listener = new Listener(one.host, { ip: address, port: 22 });
      await one.dropped('host', () => listener.begin(guest));
      await one.dropped('host', () => mine.wire.send(ipv4(MINE, address, 'udp', udp(1, 53, 'question'))));
      expect(listener.hasCaller()).to.equal(false);
      listener.close();
      expect(await guest.ping(address), address).to.equal(true);
    }
    const bare = await one.host.guest({ name: 'vm1b', bridge: 'br116' });
    expect((await bare.dhcp()).router).to.equal(inScope(MINE, 1));
  });

  it('host_access = "dhcp-only": the host itself reaches its domains', async () => {
    const listener = new Listener(guest, { ip: MINE, port: 22 });
    await exchange(await listener.connect(one.host));
    listener.close();
  });

  it('private_destinations names what may leave nevertheless, or lets out all', async () => {
    await one.reconfigure('private_destinations = ["10.0.0.0/9", "fd00::/16"]');
    const allowed = ['10.1.0.1', 'fd00::1'];
    expect(await leaving([...allowed, '10.200.0.1', 'fd01::1'])).to.deep.equal(allowed);
    await one.reconfigure('private_destinations = "allow"');
    expect(await leaving([...RESERVED_HERE])).to.deep.equal([...RESERVED_HERE]);
    await one.reconfigure('private_destinations = "drop"');
    expect(await leaving([...RESERVED_HERE])).to.deep.equal([]);
  });

  it('host_access = "open" again, by a changed configuration and sync', async () => {
    await one.reconfigure('between_domains = false');
    const listener = new Listener(one.host, { ip: one.host.address, port: 22 });
    await exchange(await listener.connect(guest));
    listener.close();
    expect(await passes(mine, internet, 'tcp', 25)).to.equal(true);
  });

  it('between_domains = false keeps all apart, leases too', async () => {
    const before = await one.drops('outbound');
    const count = await one.dropped('between', () => {
      for (const source of [MINE, LEASE])
        for (const target of [NEIGHBOUR, inScope(NEIGHBOUR, 50)])
          mine.wire.send(ipv4(source, target, 'udp', udp(1, 1, 'forged packet')));
      neighbour.wire.send(ipv4(NEIGHBOUR, MINE, 'udp', udp(1, 1, 'forged packet')));
    });
    expect(count).to.equal(5);
    expect(await one.drops('outbound')).to.equal(before);
    expect(await passes(mine, internet, 'udp', 1)).to.equal(true);
    expect(await passes(internet, neighbour, 'udp', 1)).to.equal(true);
  });
});
