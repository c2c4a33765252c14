import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { DHCP_MESSAGES } from '../../src/firewall/rules/sets.ts';
import type { Guest } from '../lab/guest.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { BOTH } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Filtered, inScope } from '../support/filtered.ts';
import { arpRequest, discover, ethernet, packet, udp } from '../support/packets.ts';
import { ipv6 } from '../support/packets6.ts';
import { POOLS6 } from '../support/scene.ts';
import { linkLocal } from '../support/solicit.ts';
import type { Wire } from '../support/wire.ts';

const [MINE = ''] = BOTH.mine;
const FLOOD = 500;

filterSuite('one bridge has a budget', ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let other: Guest;
  let attacker: Wire;

  before(async () => {
    one = await host({ pools: POOLS6 });
    guest = await one.start('vm1', BOTH.mine);
    other = await one.start('vm2', BOTH.neighbour);
    attacker = await one.guestWire(guest, BOTH.mine);
    for (const address of [INTERNET, INTERNET6]) expect(await other.ping(address)).to.equal(true);
  });

  /** Whether the host and the other guest are reachable from outside, and the other guest reaches the outside, without loss. */
  async function othersAreWell(): Promise<void> {
    const pings = ['-n', '-q', '-c20', '-i0.05', '-W1'];
    const outside = [...BOTH.neighbour, one.host.address].map(to =>
      one.lab.internet.run(['ping', ...pings, to]),
    );
    const inside = [INTERNET, INTERNET6].map(to => other.run(['ping', ...pings, to]));
    for (const answer of await Promise.all([...outside, ...inside]))
      expect(answer).to.match(/ 0% packet loss/);
  }

  const neighbours = async (bridge: string): Promise<number> =>
    (await one.host.run(['ip', 'neigh', 'show', 'nud', 'all', 'dev', bridge])).split('\n').length;

  it('of ARP senders, and those that it has had are not limited', async () => {
    const before = await neighbours('br116');
    const ask = (last: number): void =>
      attacker.sendFrame(arpRequest(guest.mac, inScope(MINE, last), inScope(MINE, 1)));
    const dropped = await one.dropped('senders', () => {
      for (let last = 2; last < 255; last++) ask(last);
    });
    await othersAreWell();
    expect(dropped).to.be.at.least(150);
    expect((await neighbours('br116')) - before).to.be.at.most(64);
    const drops = await one.drops('senders');
    for (let time = 0; time < 200; time++) ask(2);
    await until(() => guest.ping(one.host.address), PATIENCE, 'an answer of the host');
    expect(await one.drops('senders')).to.equal(drops);
  });

  for (const [family, message] of [
    ['IPv4', discover],
    ['IPv6', solicit],
  ] as const) {
    it(`of DHCP messages in ${family}, after which it is served again`, async () => {
      attacker.forget();
      const begun = performance.now();
      const dropped = await one.dropped('asking', () => {
        for (let number = 0; number < FLOOD; number++) attacker.sendFrame(message(guest.mac, number));
      });
      await othersAreWell();
      const { packets, seconds } = DHCP_MESSAGES;
      const periods = 1 + Math.ceil((performance.now() - begun) / 1000 / seconds);
      expect(dropped).to.be.at.least(FLOOD - packets * (periods + 1));
      expect(attacker.frames().filter(isFromServer).length).to.be.at.most(packets * (periods + 1));
      attacker.forget();
      const served = (): boolean => {
        attacker.sendFrame(message(guest.mac, FLOOD));
        return attacker.frames().some(isFromServer);
      };
      await until(served, PATIENCE, 'an answer of the DHCP server');
    });
  }

  describe('of tracked connections', () => {
    const LIMIT = 8192;
    /** More than may be new in the time that it takes, and more than may be at all. */
    const MANY = 45_000;
    const RATE = 5000;
    let internet: Wire;

    before(async () => {
      await one.change('vm1', BOTH.mine, { default: 'deny', rules: ['allow udp/7', 'allow icmp'] });
      internet = await one.internetWire();
    });
    after(() => one.host.run(['conntrack', '-F']));

    const entries = async () => Number(await one.host.read('/proc/sys/net/netfilter/nf_conntrack_count'));

    /** First packets of connections that nobody has seen before. */
    async function flood(send: (number: number) => void): Promise<void> {
      const begun = performance.now();
      for (let count = 0; count < MANY; await sleep(1)) {
        const due = Math.min(MANY, (RATE * (performance.now() - begun)) / 1000, count + 300);
        for (; count < due; count++) send(count);
      }
    }

    const port = (number: number): number => 1024 + (number % 60_000);

    for (const [way, cause, send] of [
      [
        'that a domain opens, from its lease and its addresses in both families',
        'opening',
        (number: number) => {
          const [from = '', to] = [
            [inScope(MINE, 50), INTERNET],
            [MINE, INTERNET],
            [BOTH.mine[1], INTERNET6],
          ][number % 3] as [string, string];
          attacker.send(packet(from, to, 'udp', udp(port(number), 9, '')));
        },
      ],
      [
        'that others open to a domain with rules, in both families',
        'opened',
        (number: number) => {
          const six = number % 2 === 1;
          const [from, to = ''] = six ? [INTERNET6, BOTH.mine[1]] : ['203.0.113.7', MINE];
          internet.send(packet(from, to, 'udp', udp(port(number), 7, '')));
        },
      ],
    ] as const) {
      it(way, async () => {
        await one.host.run(['conntrack', '-F']);
        const before = await one.drops(cause);
        const calm = othersAreWell();
        await flood(send);
        await calm;
        await othersAreWell();
        const most = await entries();
        expect(most).to.be.within(LIMIT / 2, LIMIT + 300);
        expect((await one.drops(cause)) - before).to.be.at.least(MANY / 2);
        await one.host.run(['conntrack', '-F']);
        const served = async () => (await guest.ping(INTERNET)) && (await one.lab.internet.ping(MINE));
        await until(served, PATIENCE, 'new connections of the domain');
      });
    }
  });
});

/** As `discover`, in IPv6 (RFC 8415, 18.2.1). */
function solicit(mac: string, number: number): Buffer {
  const message = [
    1,
    0x68,
    number >> 8,
    number & 255,
    0,
    1,
    0,
    10,
    0,
    3,
    0,
    1,
    ...[2, 0, 0, 0, number >> 8, number & 255],
  ];
  const identity = [0, 3, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
  const datagram = udp(546, 547, Buffer.from([...message, ...identity]));
  return ethernet('33:33:00:01:00:02', mac, ipv6(linkLocal(mac), 'ff02::1:2', 'udp', datagram));
}

/** From the port of a DHCP server, of either family. */
const isFromServer = (frame: Buffer): boolean =>
  (frame[23] === 17 && frame.readUInt16BE(34) === 67) || (frame[20] === 17 && frame.readUInt16BE(54) === 547);
