import { expect } from 'chai';
import { iptables } from '../../src/firewall/iptables/iptables.ts';
import { parseChains, parseSets, setsNamedBy } from '../../src/firewall/iptables/text.ts';
import { parsePrefix } from '../../src/model/address.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { EMPTY_VIEW, type View } from '../../src/model/view.ts';
import { describe as describeAction } from '../../src/resources/action.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { chainsOf, printed } from '../support/printed.ts';
import { UPLINK, uplinksFor } from '../support/uplink.ts';

const CONFIG = parseConfig('pools = ["123.45.90.112/29"]');
const tables = (uplink = UPLINK) =>
  iptables([4])
    .base(CONFIG, [uplink])
    .filter(({ label }) => label.endsWith(' table'));

const seeing = (saved: string): View => ({
  ...EMPTY_VIEW,
  filter: { sets: new Map(), chains: chainsOf(saved) },
});
const findings = (saved: string) => tables().map(one => one.probe(seeing(saved)));

const sound = printed(tables().flatMap(one => [...one.up(EMPTY_VIEW)]));
const mangle = tables().find(({ label }) => label === 'mangle table') as Resource;

describe('a look at the chains alone', () => {
  const CASES = {
    'as it is installed': '',
    'with domains apart': '[firewall]\nbetween_domains = false\n',
    'on the wire': 'ipv4 = "on-link"\n',
    'with many pools': '',
  };
  for (const [what, more] of Object.entries(CASES))
    it(`knows every set by the rules that name it: ${what}`, () => {
      const pools =
        what === 'with many pools'
          ? Array.from({ length: 20 }, (_, n) => `123.45.${n}.0/24`)
          : ['123.45.90.112/29'];
      const config = parseConfig(`pools = ${JSON.stringify([...pools, '2001:db8:12:48::/64'])}\n${more}`);
      for (const family of [4, 6] as const) {
        const base = iptables([family]).base(config, uplinksFor(config));
        const made = base.flatMap(one => /^set (\S+)/.exec(one.key)?.[1] ?? []);
        const actions = base.flatMap(one => [...one.up(EMPTY_VIEW)]);
        const named = setsNamedBy(parseChains(printed(actions), family));
        // A set that no rule names looks as if it were missing, and each start would bring up everything anew.
        expect([...named.keys()]).to.include.members(made);
        expect(made).to.have.length.greaterThan(5);
      }
    });
});

describe('private destinations', () => {
  /** What the set is filled with, for an uplink, a configuration and the addresses of the interface. */
  const kept = (host: string, more: string, on: readonly string[] = [], pool = '123.45.90.112/29') => {
    const config = parseConfig(`pools = ["${pool}"]\n${more}`);
    const base = iptables([4]).base(config, [{ ...UPLINK, host: parsePrefix(host) }]);
    const view = { ...EMPTY_VIEW, addresses: new Map([['eth0', on]]) };
    const resource = base.find(({ key }) => key === 'ranges hnet4-reserved');
    return (resource?.up(view) ?? []).map(one => describeAction(one).split(' ').at(-1));
  };
  const all = kept('123.45.12.48', '');

  it('stay here where the uplink has a public address, unless the configuration says something else', () => {
    expect(all).to.include.members(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '203.0.113.0/24']);
    expect(kept('192.168.1.5', '')).to.deep.equal([]);
    expect(kept('203.0.113.5', '')).to.deep.equal([]);
    expect(kept('192.168.1.5', '[firewall]\nprivate_destinations = "drop"')).to.deep.equal(all);
    expect(kept('123.45.12.48', '[firewall]\nprivate_destinations = "allow"')).to.deep.equal([]);
    expect(kept('123.45.12.48', '[firewall]\nprivate_destinations = ["10.0.0.0/8"]')).to.deep.equal(all);
  });

  it('are not those in which the uplink is itself, or a pool', () => {
    const without = (...ranges: readonly string[]) => all.filter(one => !ranges.includes(one ?? ''));
    expect(kept('123.45.12.48', '', ['123.45.12.48/24', '192.168.128.9/17'])).to.deep.equal(
      without('192.168.0.0/16'),
    );
    expect(kept('123.45.12.48', '', [], '10.7.0.0/24')).to.deep.equal(without('10.0.0.0/8'));
  });
});

describe('iptables', () => {
  it('knows its tables again by what iptables prints', () => {
    expect(findings(sound)).to.deep.equal([{ is: 'present' }, { is: 'present' }, { is: 'present' }]);
    expect(findings('')).to.deep.equal([{ is: 'absent' }, { is: 'absent' }, { is: 'absent' }]);
  });

  for (const [what, harm, why] of [
    [
      'a foreign rule before its jump',
      (text: string) => text.replace('[0:0] -A FORWARD', '[0:0] -A FORWARD -i br+ -j ACCEPT\n$&'),
      'another rule comes before its jump in FORWARD',
    ],
    [
      'its jump twice',
      (text: string) => text.replace(/\[0:0\] -A FORWARD.*\n/, '$&$&'),
      'its jump is in FORWARD twice',
    ],
    [
      'a jump that is gone',
      (text: string) => text.replace(/\[0:0\] -A INPUT.*\n/, ''),
      'a part of it is missing',
    ],
    [
      'a rule that is gone',
      (text: string) => text.replace(/\[3:180\] -A hnet-forward .*\n/, ''),
      /^hnet-forward has \d rules, not \d$/,
    ],
    [
      'a rule too many',
      (text: string) => text.replace(/\[3:180\] -A hnet-forward/, '[0:0] -A hnet-forward -j ACCEPT\n$&'),
      /^hnet-forward has \d rules, not \d$/,
    ],
    [
      'a chain that is gone',
      (text: string) => text.replaceAll(/^.*hnet-forward .*\n/gm, ''),
      'a part of it is missing',
    ],
    [
      "another version's rules",
      (text: string) => text.replaceAll(/hnet:[0-9a-f]{8}/g, 'hnet:00000000'),
      /^hnet-\S+ has other rules$/,
    ],
  ] as const) {
    it(`notices ${what}`, () => {
      const harmed = harm(sound);
      expect(harmed).not.to.equal(sound);
      const finding = mangle.probe(seeing(harmed));
      if (finding.is !== 'changed') throw new Error(`it is ${finding.is}`);
      if (typeof why === 'string') expect(finding.why).to.equal(why);
      else expect(finding.why).to.match(why);
    });
  }

  it("doesn't contend for the first place with rules that lead no packet past it", () => {
    const before = [
      '-s 192.0.2.0/24 -j DROP',
      '-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu',
      '-m comment --comment "not -j ACCEPT" -j LOG',
      '-m comment --comment "only counted"',
    ];
    const lines = before.map(rule => `[0:0] -A FORWARD ${rule}\n`).join('');
    expect(mangle.probe(seeing(sound.replace('[0:0] -A FORWARD', `${lines}$&`)))).to.deep.equal({
      is: 'present',
    });
  });

  it('notices that the uplink takes smaller packets by now', () => {
    const found = tables({ ...UPLINK, mtu: 1400 }).map(one => one.probe(seeing(sound)).is);
    expect(found).to.include('changed').and.not.to.include('absent');
  });

  it('notices that it was made for another uplink', () => {
    const other = tables({ ...UPLINK, device: 'eth1' }).map(one => one.probe(seeing(sound)).is);
    expect(other).to.include('changed').and.not.to.include('absent');
  });

  it("deletes its old jumps in iptables' own words, and nobody else's rule", () => {
    const foreign = '[0:0] -A FORWARD -m comment --comment "hnet-forward" -j REJECT\n';
    const view = seeing(sound.replace('[0:0] -A FORWARD', `${foreign}$&`));
    const [restore] = mangle.up(view);
    if (restore?.kind !== 'run') throw new Error(restore?.kind);
    expect(restore.argv).to.include.members(['iptables-restore', '--noflush']);
    const lines = (restore.stdin ?? '').split('\n');
    expect(lines.filter(line => line.startsWith('-D FORWARD'))).to.deep.equal(['-D FORWARD -j hnet-forward']);
    expect(lines.filter(line => /REJECT|-F|-P/.test(line))).to.deep.equal([]);
    const [down] = mangle.down(view);
    if (down?.kind !== 'run') throw new Error(down?.kind);
    const removed = (down.stdin ?? '').split('\n').filter(line => /^-[DX] /.test(line));
    for (const line of removed) expect(line).to.contain('hnet-').and.not.to.contain('REJECT');
    expect(mangle.down(EMPTY_VIEW)).to.deep.equal([]);
  });

  describe("removes an earlier version's chains from the filter table", () => {
    const own = 'hnet-in-0123456789abcdef';
    const old = `*filter
:FORWARD DROP [0:0]
:hnet-forward - [0:0]
:hnet-inbound-rules - [0:0]
:${own} - [0:0]
[0:0] -A FORWARD -j hnet-forward
[0:0] -A FORWARD -j DOCKER-USER
[0:0] -A hnet-inbound-rules -d 123.45.90.116/32 -g ${own}
COMMIT
`;
    const remove = (saved: string) =>
      iptables([4])
        .former(seeing(saved).filter)
        .flatMap(action => (action.kind === 'run' ? (action.stdin ?? '').split('\n') : []));

    it('with the jumps to them, and nothing else', () => {
      const lines = remove(`${old}*mangle\n:${own} - [0:0]\nCOMMIT\n`);
      expect(lines[0]).to.equal('*filter');
      expect(lines.filter(line => line.startsWith('-D '))).to.deep.equal(['-D FORWARD -j hnet-forward']);
      expect(lines.filter(line => line.startsWith('-X '))).to.deep.equal([
        '-X hnet-forward',
        '-X hnet-inbound-rules',
        `-X ${own}`,
      ]);
      expect(remove(sound)).to.deep.equal([]);
    });

    it('and none of them as long as the rules of a domain stand nowhere else', () =>
      expect(remove(old)).to.deep.equal([]));
  });

  it('reads what ipset prints: single addresses, subnets, IPv6, counters', () => {
    const sets = parseSets(`create hnet4-in hash:net family inet counters
add hnet4-in 123.45.90.116 packets 7 bytes 420
add hnet4-in 123.45.90.112/30 packets 0 bytes 0
create hnet6-in hash:net family inet6
add hnet6-in 2001:db8::1
create foreign hash:ip
add foreign 1.2.3.4
`);
    expect(Object.fromEntries(sets.get('hnet4-in') ?? [])).to.deep.equal({
      '123.45.90.116/32': { packets: 7n, bytes: 420n },
      '123.45.90.112/30': { packets: 0n, bytes: 0n },
    });
    expect([...(sets.get('hnet6-in') ?? new Map()).keys()]).to.deep.equal(['2001:db8::1/128']);
    expect(sets.has('foreign'), "somebody else's set").to.equal(false);
  });

  it('reads the entries of some prefixes alone, and of all sets that they exist', () => {
    const saved = `create hnet4-in hash:net family inet counters
add hnet4-in 123.45.90.11 packets 1 bytes 1
add hnet4-in 123.45.90.116 packets 7 bytes 420
add hnet4-in 123.45.90.112/30 packets 2 bytes 2
create hnet6-in hash:net family inet6 counters
add hnet6-in 2001:db8::/64 packets 3 bytes 3
add hnet6-in 2001:db8::11 packets 4 bytes 4
create hnet4-out hash:net family inet counters
`;
    const read = (...texts: string[]) =>
      [...parseSets(saved, texts.map(parsePrefix))].map(([name, entries]) => [name, [...entries.keys()]]);
    expect(read('123.45.90.11', '123.45.90.112/30', '2001:db8::/64')).to.deep.equal([
      ['hnet4-in', ['123.45.90.11/32', '123.45.90.112/30']],
      ['hnet6-in', ['2001:db8::/64']],
      ['hnet4-out', []],
    ]);
    expect(read('123.45.90.1')).to.deep.equal([
      ['hnet4-in', []],
      ['hnet6-in', []],
      ['hnet4-out', []],
    ]);
    expect(
      parseSets(saved, [parsePrefix('123.45.90.116')])
        .get('hnet4-in')
        ?.get('123.45.90.116/32'),
    ).to.deep.equal({
      packets: 7n,
      bytes: 420n,
    });
  });
});
