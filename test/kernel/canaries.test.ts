import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { VARIANTS } from '../support/scene.ts';
import { difference, expectUnchanged, snapshot, withoutEmptyTables } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

/** What other software may have on a host: Docker, firewalld, an administrator. All of it must survive. */
const CANARIES = `
iptables -t raw -A PREROUTING -i eth0 -p tcp --dport 4444 -j DROP
iptables -t nat -A POSTROUTING -s 10.77.0.0/16 -o eth0 -j MASQUERADE
iptables -N DOCKER-USER
iptables -A DOCKER-USER -j RETURN
iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited
iptables -P FORWARD DROP
iptables -A INPUT -p icmp -j ACCEPT
iptables -A INPUT -m comment --comment "a word, and 'quotes'" -j REJECT
ipset create foreign hash:ip counters
ipset add foreign 192.0.2.7
ip link add br0 type bridge
ip link set br0 address 02:00:00:00:00:99 up
ip address add 10.77.0.1/16 dev br0
ip route add 10.78.0.0/16 via 10.77.0.2
ip route add blackhole 10.79.0.0/16 metric 77
ip rule add from 10.77.0.0/16 table 77
ip route add default via 123.45.12.1 dev eth0 onlink table 77
`;

/** The lines of a snapshot that aren't hnet's: what stood there before must come out byte for byte. */
const foreign = (text: string): string =>
  withoutEmptyTables(
    text
      .split('\n')
      .filter(line => !/hnet|proto 104/.test(line))
      .join('\n'),
  );

for (const variant of VARIANTS) {
  kernelSuite(`canaries (${variant})`, scene => {
    it('survive base, start, stop and the removal of the base', async () => {
      const one = await scene({ variant });
      await one.host.sh(CANARIES);
      const untouched = await snapshot(one.host);
      await one.base();
      expect(difference(untouched, foreign(await snapshot(one.host)))).to.deep.equal([]);
      const based = await snapshot(one.host);
      await one.prepare('vm1', ['123.45.90.116']);
      const rules = await one.host.run(['iptables-save']);
      for (const rule of [
        '-j DOCKER-USER',
        '--reject-with icmp-host-prohibited',
        '--dport 4444',
        '10.77.0.0/16',
      ]) {
        expect(rules).to.contain(rule);
      }
      await one.release('vm1');
      await expectUnchanged(one.host, based);
      await one.baseDown();
      await expectUnchanged(one.host, untouched);
    });

    it('have an empty host as their simplest case', async () => {
      const one = await scene({ variant });
      const untouched = await snapshot(one.host);
      await one.base();
      await one.base();
      await one.baseDown();
      await expectUnchanged(one.host, untouched);
      await one.baseDown();
      await expectUnchanged(one.host, untouched);
    });

    it("don't get in the way: traffic passes under a policy of DROP and a REJECT", async () => {
      const one = await scene({ variant });
      await one.host.sh(CANARIES);
      const guest = await one.start('vm1', '123.45.90.116');
      const second = await one.start('vm2', '123.45.90.117');
      expect(await one.lab.internet.ping('123.45.90.116')).to.equal(true);
      expect(await guest.ping(INTERNET)).to.equal(true);
      expect(await guest.ping('123.45.90.117')).to.equal(true);
      await second.run(['ip', 'address', 'flush', 'dev', 'eth0']);
      expect((await second.dhcp()).router, 'DHCP under an INPUT that rejects').to.equal('172.30.117.1');
      expect(await second.ping(INTERNET)).to.equal(true);
    });

    it('that would lead packets past our jumps go behind them at the next start', async () => {
      const one = await scene({ variant });
      await one.base();
      await one.host.sh(`iptables -I FORWARD 1 -j REJECT
        iptables -I INPUT 1 -j DROP
        iptables -t mangle -I FORWARD 1 -i br+ -j ACCEPT
        iptables -t mangle -I INPUT 1 -j ACCEPT
        iptables -t raw -I PREROUTING 1 -p tcp --dport 4444 -j ACCEPT
        iptables -t nat -I POSTROUTING 1 -o eth0 -j MASQUERADE`);
      const before = foreign(await snapshot(one.host));
      const guest = await one.start('vm1', '123.45.90.116');
      expect(await guest.ping(INTERNET)).to.equal(true);
      for (const [table, chain] of [
        ['raw', 'PREROUTING'],
        ['mangle', 'FORWARD'],
        ['mangle', 'INPUT'],
        ['nat', 'POSTROUTING'],
      ] as const) {
        const saved = await one.host.run(['iptables-save', '-t', table]);
        const [first] = saved.split('\n').filter(line => line.startsWith(`-A ${chain} `));
        expect(first).to.match(new RegExp(`-j hnet-${chain.toLowerCase()}$`));
      }
      await guest.unplug();
      await one.release('vm1');
      expect(difference(before, foreign(await snapshot(one.host)))).to.deep.equal([]);
    });

    it('are told from ours by marker: a bridge br117 of somebody else keeps its traffic', async () => {
      const one = await scene({ variant });
      await one.host.sh(
        'ip link add br117 type bridge; ip link set br117 up; ip address add 10.66.0.1/24 dev br117',
      );
      await one.lab.gateway.run(['ip', 'route', 'replace', '10.66.0.0/24', 'via', one.host.address]);
      await one.base();
      const other = await one.host.guest({ name: 'other', bridge: 'br117' });
      await other.sh('ip address add 10.66.0.2/24 dev eth0; ip route add default via 10.66.0.1');
      await one.start('vm1', '123.45.90.116');
      expect(await other.ping(INTERNET)).to.equal(true);
      expect(await one.lab.internet.ping('10.66.0.2')).to.equal(true);
    });
  });
}
