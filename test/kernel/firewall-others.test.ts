import { expect } from 'chai';
import { hnet } from '../support/command.ts';
import { BOTH, FAMILIES, type Places } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { addressOf } from '../support/octets.ts';
import { packet, udp } from '../support/packets.ts';
import { outside, passes } from '../support/probe.ts';
import { POOLS6 } from '../support/scene.ts';
import { Wire } from '../support/wire.ts';

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

/** Translations of everything, in whoever's words. */
const TRANSLATIONS: Readonly<Record<string, string>> = {
  'to the uplink': both('-A POSTROUTING -o eth0 -j MASQUERADE'),
  'whatever the interface': both('-A POSTROUTING -j MASQUERADE'),
  'before ours': both('-I POSTROUTING -j MASQUERADE'),
  'in a chain of theirs, before ours': both(
    '-N VPN',
    '-A VPN -m comment --comment "-j RETURN" -j MASQUERADE',
    '-I POSTROUTING -j VPN',
  ),
  "in nft's words, with a priority before everybody's": `nft add table inet vpn
    nft add chain inet vpn out "{ type nat hook postrouting priority srcnat - 20; }"
    nft add rule inet vpn out oifname != docker0 masquerade`,
  "in nft's words":
    'nft add table inet vpn; nft add chain inet vpn out "{ type nat hook postrouting priority srcnat; }"; nft add rule inet vpn out masquerade',
};

function both(...rules: readonly string[]): string {
  return ['iptables', 'ip6tables'].flatMap(tool => rules.map(rule => `${tool} -t nat ${rule}`)).join('\n');
}

const CLEAR = `nft delete table inet vpn 2>/dev/null || true
  for tool in iptables ip6tables; do
    for rule in '-o eth0 -j MASQUERADE' '-j MASQUERADE' '-j VPN'; do
      $tool -t nat -D POSTROUTING $rule 2>/dev/null || true
    done
    $tool -t nat -F VPN 2>/dev/null && $tool -t nat -X VPN || true
  done
  for tool in iptables ip6tables; do $tool -P FORWARD ACCEPT; $tool -F; $tool -X; done
  ipset list -n | grep ^f2b | xargs -r -n1 ipset destroy`;

filterSuite('beside what others have on a host', ({ host }) => {
  let one: Filtered;
  let ports = 20_000;
  let wires: Readonly<Record<'mine' | 'neighbour' | 'internet', Wire>>;

  before(async () => {
    one = await host({ pools: POOLS6, firewall: 'outbound_deny = ["tcp/25"]' });
    const guest = await one.start('vm1', BOTH.mine);
    const other = await one.start('vm2', BOTH.neighbour, { isolate: true, rules: ['deny tcp/1'] });
    wires = {
      mine: await one.guestWire(guest, BOTH.mine),
      neighbour: await one.guestWire(other, BOTH.neighbour),
      internet: await one.internetWire(),
    };
  });
  afterEach(() => one.host.sh(CLEAR));

  for (const [what, script] of Object.entries(BANS)) {
    it(`a ban of theirs holds, and what we drop too: ${what}`, async () => {
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

  for (const [what, script] of Object.entries(TRANSLATIONS)) {
    it(`nobody translates a public address: a masquerade of everything ${what}`, async () => {
      await one.host.sh(script);
      await one.scene.base();
      for (const { mine, neighbour, internet } of FAMILIES) {
        await expectSource(wires.neighbour, neighbour, wires.internet, internet);
        await expectSource(wires.mine, mine, wires.internet, internet);
        await expectSource(wires.internet, internet, wires.neighbour, neighbour);
      }
    });
  }

  /** A packet arrives with the source that it was sent with. */
  async function expectSource(from: Wire, source: string, to: Wire, destination: string): Promise<void> {
    ports += 1;
    const word = `from port ${ports};`;
    from.send(packet(source, destination, 'udp', udp(ports, 4000, word)));
    await to.until(word);
    const frame = to.frames().find(each => each.includes(word));
    const [start, end] = source.includes(':') ? [22, 38] : [26, 30];
    expect(addressOf(frame?.subarray(start, end) ?? Buffer.of())).to.equal(source);
    to.forget();
  }

  describe("a container of the host's", () => {
    let container: Wire;

    before(async () => {
      await one.host.sh(`ip link add docker0 type bridge; ip link set docker0 up
        ip address add 172.17.0.1/16 dev docker0; ip -6 address add 2001:db8:d0c::1/64 dev docker0 nodad`);
      const machine = await one.host.guest({ name: 'container', bridge: 'docker0' });
      container = await Wire.open(machine, 'eth0', await macOf('docker0'));
    });

    const macOf = async (device: string) => (await one.host.read(`/sys/class/net/${device}/address`)).trim();

    it("can't send under a domain's address: to the Internet, to a domain, to the host", async () => {
      for (const { mine, neighbour, unassigned, internet, host: itself } of FAMILIES)
        for (const destination of [internet, neighbour, itself])
          for (const source of [mine, unassigned])
            await one.dropped('impostor', () =>
              container.send(packet(source, destination, 'udp', udp(1, 1, 'an impostor'))),
            );
      expect(wires.internet.count('an impostor')).to.equal(0);
      expect(wires.neighbour.count('an impostor')).to.equal(0);
    });

    it('is told of by doctor, which takes it for no fault of the host', async () => {
      expect((await hnet(one.scene, 'doctor')).stdout).to.match(
        /^note: other networks of this host .* have sent \d+ packets under addresses of VMs/m,
      );
    });

    it('can send under its own, and under one of a pool that the operator has routed to it', async () => {
      await one.host.sh(
        'ip route add 123.45.90.114 dev docker0; ip route add 2001:db8:12:48::114 dev docker0',
      );
      for (const [source, { internet }] of [
        ['172.17.0.2', FAMILIES[0] as Places],
        ['2001:db8:d0c::2', FAMILIES[1] as Places],
        ['123.45.90.114', FAMILIES[0] as Places],
        ['2001:db8:12:48::114', FAMILIES[1] as Places],
      ] as const)
        await expectSource(container, source, wires.internet, internet);
    });
  });
});
