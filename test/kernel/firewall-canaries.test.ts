import { expect } from 'chai';
import type { Host } from '../lab/host.ts';
import { BOTH } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Backend, Filtered } from '../support/filtered.ts';
import { POOLS6 } from '../support/scene.ts';
import { difference, snapshot, withoutEmptyTables } from '../support/snapshot.ts';

/** What other software may have on a host, in both of the kernel's filters and in ipset; all of it must survive. */
const CANARIES = `
iptables -t raw -A PREROUTING -i eth0 -p tcp --dport 4444 -j DROP
iptables -t mangle -A FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
iptables -t nat -A POSTROUTING -s 10.77.0.0/16 -o eth0 -j MASQUERADE
iptables -N DOCKER-USER
iptables -A DOCKER-USER -j RETURN
iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -i br77 -j ACCEPT
iptables -A INPUT -m comment --comment "a word, and 'quotes'" -j ACCEPT
ipset create foreign hash:net counters timeout 86400
ipset add foreign 192.0.2.0/24
ipset create lookalike-hnet hash:ip
iptables -A FORWARD -m set --match-set foreign src -j DROP
ip6tables -t raw -A PREROUTING -i eth0 -p tcp --dport 4444 -j DROP
ip6tables -N DOCKER-USER
ip6tables -A DOCKER-USER -j RETURN
ip6tables -A FORWARD -j DOCKER-USER
ip6tables -A INPUT -m comment --comment "a word, and 'quotes'" -j ACCEPT
ipset create foreign6 hash:net family inet6 counters
ipset add foreign6 2001:db8:77::/48
ip6tables -A FORWARD -m set --match-set foreign6 src -j DROP
ip -6 route add unreachable 2001:db8:78::/48 metric 77
ip neighbour add proxy 2001:db8:79::1 dev eth0
nft -f - <<'END'
table inet foreign {
  set addresses { type ipv4_addr; flags interval; counter; elements = { 192.0.2.0/24, 198.51.100.7 } }
  map verdicts { type ipv4_addr : verdict; elements = { 192.0.2.9 : drop } }
  chain forward {
    type filter hook forward priority filter - 1; policy accept
    ip saddr @addresses counter drop
    ip daddr vmap @verdicts
  }
  chain hnet-forward { counter accept; }
}
table ip hnet-lookalike {
  chain prerouting { type filter hook prerouting priority raw; policy accept; tcp dport 4444 counter drop; }
}
table ip6 hnet-lookalike {
  set hnet6-in { type ipv6_addr; elements = { 2001:db8:77::7 } }
  chain prerouting { type filter hook prerouting priority raw; policy accept; ip6 saddr @hnet6-in counter drop; }
}
table bridge foreign {
  chain forward { type filter hook forward priority 0; policy accept; ether type arp counter accept; }
}
END
`;

/** All that stands in both filters, as their tools print it, without what changes by itself. */
async function everything(host: Host): Promise<string> {
  const nft = await host.run(['nft', '-s', 'list', 'ruleset']);
  // The tables of iptables-nft show here too, and once more in the snapshot.
  const tables = nft.split(/^(?=table )/m).filter(text => !/^table ip6? (raw|filter|nat|mangle) /.test(text));
  return [...tables.map(text => text.trim()).sort(), await snapshot(host)]
    .join('\n')
    .replaceAll(/timeout \d+$/gm, 'timeout');
}

/** The same without what is hnet's. */
const others = (text: string): string => withoutEmptyTables(withoutOurs(text));

const withoutOurs = (text: string): string =>
  text
    .split(/^(?=table |== |\*\w+$)/m)
    .filter(part => !/^table (ip6?|arp|inet) hnet \{/.test(part))
    .join('')
    .split('\n')
    .filter(
      line =>
        !/proto 104|-A .*hnet-|^:hnet-|(create|add) hnet[46]-|dnsmasq|br11\d|172\.30\.|123\.45\.90\.|^ {4}link|\/run\/hnet/.test(
          line,
        ),
    )
    .join('\n');

filterSuite('what others have in the filter', ({ host, backend }) => {
  let one: Filtered;
  let untouched: string;

  before(async () => {
    one = await host({ given: CANARIES, pools: POOLS6 });
    // The base stands already: off with it, to see what there was before.
    await one.scene.baseDown();
    untouched = await everything(one.host);
    expect(untouched).to.contain('192.0.2.9 : drop').and.contain('DOCKER-USER').and.contain('hnet-lookalike');
  });

  it('survives the base, twice, and its end, twice', async () => {
    for (const step of ['base', 'base', 'baseDown', 'baseDown', 'base'] as const) {
      await one.scene[step]();
      expect(others(await everything(one.host))).to.equal(others(untouched));
      if (step === 'baseDown') expect(await everything(one.host)).to.equal(untouched);
    }
  });

  it('survives start and stop, with rules and without, twice', async () => {
    const based = await everything(one.host);
    const policy = { default: 'deny', rules: ['allow tcp/22'], isolate: true } as const;
    for (const round of [1, 2]) {
      for (const _ of [1, 2]) await one.prepare('vm1', BOTH.mine, policy);
      await one.prepare('vm2', BOTH.neighbour);
      await one.sync();
      // Interfaces and routes have come; of rules, sets and tables there is more, and none is missing.
      const now = new Set((await everything(one.host)).split('\n'));
      expect(
        others(untouched)
          .split('\n')
          .filter(line => !now.has(line)),
      ).to.deep.equal([]);
      for (const _ of [1, 2]) {
        await one.release('vm1', BOTH.mine);
        await one.release('vm2', BOTH.neighbour);
      }
      expect(await everything(one.host), `round ${round}`).to.equal(based);
    }
  });

  it('survives starts and stops side by side, and others at work beside them', async () => {
    const based = await everything(one.host);
    const addresses = [112, 113, 114, 115].map(last => [`123.45.90.${last}`, `2001:db8:12:48::${last}`]);
    const policies = [{}, { rules: ['deny udp/53'] }, { default: 'deny' }, { isolate: true }] as const;
    const meddling = meddle(one.host);
    for (const _ of [1, 2]) {
      await Promise.all(addresses.map((ip, index) => one.prepare(`vm${index}`, ip, policies[index])));
      for (const [place, [set, length]] of [
        ['hnet4-in', 32],
        ['hnet6-in', 128],
      ].entries()) {
        const assigned = (await one.look()).sets.get(String(set));
        expect(assigned === 'unread' ? [] : [...(assigned?.keys() ?? [])].sort()).to.deep.equal(
          addresses.map(ips => `${ips[place]}/${length}`),
        );
      }
      await Promise.all(addresses.map((ip, index) => one.release(`vm${index}`, ip)));
    }
    await meddling;
    expect(await everything(one.host)).to.equal(based);
  });

  /** Somebody else adds and removes rules of his own all the while. */
  async function meddle(machine: Host): Promise<void> {
    for (let n = 0; n < 40; n++) for (const command of words(backend)) await machine.sh(command);
  }

  it('is all there is after a release, though a part of ours was lost before', async () => {
    const based = await everything(one.host);
    await one.prepare('vm1', BOTH.mine, { default: 'deny', rules: ['allow tcp/22'] });
    await one.host.sh(
      backend === 'nftables'
        ? `nft delete element ip hnet hnet4-out { 123.45.90.116 }
           nft delete element ip hnet hnet4-tracked-subnets { 172.30.116.0/24 }
           nft delete element ip6 hnet hnet6-tracked { 2001:db8:12:48::116 }`
        : `ipset del hnet4-out 123.45.90.116; ipset del hnet4-tracked 172.30.116.0/24
           ipset del hnet6-tracked 2001:db8:12:48::116`,
    );
    await one.release('vm1', BOTH.mine);
    expect(difference(based, await everything(one.host))).to.deep.equal([]);
  });
});

function words(backend: Backend): readonly [string, string] {
  const handle = `$(nft -a list chain inet foreign forward | sed -n 's/.*192.0.2.77.*handle //p')`;
  return backend === 'nftables'
    ? [
        'nft add rule inet foreign forward ip saddr 192.0.2.77 drop',
        `nft delete rule inet foreign forward handle ${handle}`,
      ]
    : ['iptables -w 10 -A FORWARD -s 192.0.2.77 -j DROP', 'iptables -w 10 -D FORWARD -s 192.0.2.77 -j DROP'];
}
