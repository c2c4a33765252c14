import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { SIX } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { POOLS6 } from '../support/scene.ts';

const { mine: MINE, neighbour: NEIGHBOUR, host: HOST } = SIX;

/** Whoever closes a host must let its own uplink find its neighbours. */
const UPLINK = ['neighbour-solicitation', 'neighbour-advertisement', 'echo-request', 'echo-reply'];
const closed = (tool: string): string => `${tool} -A FORWARD -i docker0 -j ACCEPT
  ${tool} -A FORWARD -j REJECT
  ${tool} -P FORWARD DROP
  ${UPLINK.map(type => `${tool} -A INPUT -i eth0 -p icmpv6 --icmpv6-type ${type} -j ACCEPT`).join('\n')}
  ${tool} -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  ${tool} -P INPUT DROP
`;

/** A host that is closed in IPv6, by everything at once that can close it. */
const STRANGERS = `${closed('ip6tables-nft')}${closed('ip6tables-legacy')}
nft -f - <<'END'
table ip6 closed {
  chain forward { type filter hook forward priority filter; policy drop; }
}
table inet closed {
  chain input {
    type filter hook input priority filter; policy drop;
    meta nfproto ipv4 accept
    iifname "lo" accept
    ct state established,related accept
    iifname "eth0" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, echo-request } accept
  }
  chain forward {
    type filter hook forward priority filter + 10; policy accept;
    ct state vmap { established : accept, related : accept, invalid : drop }
    ip6 daddr 2001:db8:66::/48 drop
    meta nfproto ipv6 reject with icmpx type admin-prohibited
  }
  chain output {
    type filter hook output priority filter; policy drop;
    meta nfproto ipv4 accept
    ct state established,related accept
    oifname { "lo", "eth0" } accept
  }
}
END
`;
const SHOW = `ip6tables-nft-save -t filter | sed -e '/^#/d' -e 's/\\[[0-9]*:[0-9]*\\]/[0:0]/'
ip6tables-legacy-save -t filter | sed -e '/^#/d' -e 's/\\[[0-9]*:[0-9]*\\]/[0:0]/'
nft -s -a list table ip6 closed; nft -s -a list table inet closed`;

filterSuite("other people's filters of IPv6", ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let based: string;
  let untouched: string;

  before(async () => {
    one = await host({ pools: POOLS6, given: `${STRANGERS}{ ${SHOW}\n} >/run/lab/untouched` });
    untouched = (await one.host.read('/run/lab/untouched')).trim();
    based = await one.host.sh(SHOW);
    guest = await one.start('vm1', MINE);
  });

  it('let domains through, both ways and to each other', async () => {
    expect(await one.lab.internet.ping(MINE)).to.equal(true);
    expect(await guest.ping(INTERNET6)).to.equal(true);
    const other = await one.start('vm2', NEIGHBOUR);
    expect(await other.ping(MINE)).to.equal(true);
    expect(await one.lab.internet.ping(HOST), 'the host, as before').to.equal(true);
  });

  it('let a guest find its router, and the router its neighbours', async () => {
    const routed = async () => (await guest.run(['ip', '-6', 'route'])).includes('proto ra');
    await guest.sh('ip -6 route flush proto ra; ip link set eth0 down; ip link set eth0 up');
    await until(routed, PATIENCE, 'a router advertisement');
  });

  it('are as they were but for our accepts, and wholly so when the base is gone', async () => {
    const ours = (text: string) => text.split('\n').filter(line => line.includes('hnet')).length;
    expect(ours(untouched)).to.equal(0);
    expect(ours(based)).to.be.at.least(8);
    expect(
      (await one.host.sh(SHOW))
        .split('\n')
        .filter(line => !line.includes('hnet'))
        .join('\n'),
    ).to.equal(untouched);
    await guest.unplug();
    await one.host.sh('ip link del vm2');
    await one.release('vm1', MINE);
    await one.release('vm2', NEIGHBOUR);
    await one.scene.baseDown();
    expect(await one.host.sh(SHOW)).to.equal(untouched);
  });
});
