import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseSaved } from '../../src/firewall/foreign/parse-iptables.ts';
import { parseRuleset } from '../../src/firewall/foreign/parse-nft.ts';
import { passages } from '../../src/firewall/foreign/passages.ts';
import { parsePrefix } from '../../src/model/address.ts';
import { DEFAULT_CONFIG } from '../../src/model/parse-config.ts';
import type { ForeignFilters, ForeignRule, ForeignTable } from '../../src/model/view.ts';
import { EMPTY_VIEW, type View } from '../../src/model/view.ts';
import { describe as words } from '../../src/resources/action.ts';
import { refusalOf } from '../support/refused.ts';
import { UPLINK } from '../support/uplink.ts';

/** What nft 1.0.6 (`nft -j -t list ruleset`) and iptables 1.8.9 really print. */
const DATA = JSON.parse(readFileSync(new URL('strangers.data.json', import.meta.url), 'utf8')) as {
  listings: Record<string, unknown>;
  saved: Record<string, string>;
};

const CONFIG = { ...DEFAULT_CONFIG, pools: [parsePrefix('123.45.90.112/29')] };
const FORWARD = [
  'iifgroup 26734 counter accept comment "hnet"',
  'oifgroup 26734 counter accept comment "hnet"',
];

const listing = (name: string): ForeignTable[] => parseRuleset(JSON.stringify(DATA.listings[name]));

function viewOf(tables: readonly ForeignTable[], complete = true, files: Record<string, string> = {}): View {
  const foreign: ForeignFilters = { tables, complete, carry: [] };
  return {
    ...EMPTY_VIEW,
    filter: { ...EMPTY_VIEW.filter, foreign },
    sysctl: path => files[path]?.trim(),
  };
}

/** What would be done, line by line. */
function done(view: View, verb: 'up' | 'down' = 'up'): string[] {
  const text = passages(CONFIG, UPLINK, [4]).flatMap(resource =>
    verb === 'up' && resource.probe(view).is === 'present' ? [] : resource[verb](view).map(words),
  );
  return text
    .join('\n')
    .split('\n')
    .filter(line => line !== '');
}

/** The one nft transaction of these lines. */
const nft = (lines: readonly string[]): string[] => ["nft -f - <<'END'", ...lines, 'END'];

describe('strangers', () => {
  describe('that block get our accept right before what blocks', () => {
    const cases: Record<string, string[]> = {
      'a forward policy of drop': FORWARD.map(rule => `add rule inet filter forward ${rule}`),
      'a chain that ends with a reject': FORWARD.map(
        rule => `insert rule inet filter forward position 6 ${rule}`,
      ),
      'a reject behind jumps and a verdict map': FORWARD.map(
        rule => `insert rule inet zones forward position 8 ${rule}`,
      ),
      "Docker's own tables": FORWARD.map(
        rule => `insert rule ip docker-bridges filter-FORWARD position 6 ${rule}`,
      ),
      'a block list': FORWARD.map(rule => `add rule inet filter forward ${rule}`),
      'private sources': FORWARD.map(rule => `insert rule inet filter forward position 3 ${rule}`),
      'all that comes from the uplink': FORWARD.map(
        rule => `insert rule inet filter forward position 2 ${rule}`,
      ),
      'all but one interface': FORWARD.map(rule => `insert rule inet filter forward position 2 ${rule}`),
      'all bridges': FORWARD.map(rule => `insert rule inet filter forward position 2 ${rule}`),
      'one protocol': FORWARD.map(rule => `insert rule inet filter forward position 2 ${rule}`),
      'a named map of interfaces': FORWARD.map(rule => `insert rule inet filter forward position 5 ${rule}`),
      'a host closed with nft': [
        'add rule inet filter input iifgroup 26734 udp sport 68 udp dport 67 counter accept comment "hnet"',
        'add rule inet filter output oifgroup 26734 udp sport 67 udp dport 68 counter accept comment "hnet"',
      ],
    };
    for (const [name, lines] of Object.entries(cases)) {
      it(name, () => expect(done(viewOf(listing(name)))).to.deep.equal(nft(lines)));
    }
  });

  describe('that leave the bulk of our traffic alone are left alone', () => {
    for (const name of [
      "libvirt's networks",
      'particular drops alone',
      'an accept of everything first',
      'a loop of jumps',
    ]) {
      it(name, () => expect(done(viewOf(listing(name)))).to.deep.equal([]));
    }
  });

  it("in iptables' tables are changed by iptables alone", () => {
    const tables = parseSaved(DATA.saved['Docker'] ?? '', 'iptables-nft', false);
    const accept = (side: string): string =>
      `-A FORWARD -m devgroup --${side}-group 0x686e -m comment --comment hnet -j ACCEPT`;
    expect(done(viewOf(tables))).to.deep.equal([
      "iptables-nft-restore -w 10 --noflush <<'END'",
      '*filter',
      accept('src'),
      accept('dst'),
      'COMMIT',
      'END',
    ]);
    expect(listing('iptables-nft with a FORWARD policy of DROP').map(({ by }) => by)).to.deep.equal([
      'iptables-nft',
    ]);
    expect(listing('a host closed with iptables-nft').map(({ by }) => by)).to.deep.equal(['iptables-nft']);
  });

  it('in iptables are read with their conditions, negations and comments', () => {
    const lines = done(viewOf(parseSaved(DATA.saved['mixed'] ?? '', 'iptables-legacy', false)));
    expect(lines[0]).to.equal("iptables-legacy-restore -w 10 --noflush <<'END'");
    expect(lines[2]).to.match(/^-I FORWARD 6 .*--src-group/);
    expect(lines[3]).to.match(/^-I FORWARD 7 .*--dst-group/);
    expect(lines).to.have.length(6);
  });

  it('in which our own filter stands, or will, are none', () => {
    expect(done(viewOf(parseSaved(DATA.saved['Docker'] ?? '', 'iptables-nft', true)))).to.deep.equal([]);
    const led = (DATA.saved['Docker'] ?? '').replace('COMMIT', ':hnet-forward - [0:0]\nCOMMIT');
    expect(done(viewOf(parseSaved(led, 'iptables-nft', false)))).to.deep.equal([]);
  });

  describe('with our accept in them', () => {
    it('are fine as long as it stands before what blocks', () => {
      const tables = withOurs('a chain that ends with a reject', 2);
      expect(done(viewOf(tables))).to.deep.equal([]);
      expect(done(viewOf(tables), 'down')).to.deep.equal(
        nft(['delete rule inet filter forward handle 100', 'delete rule inet filter forward handle 101']),
      );
    });

    it('get it anew where it stands behind', () => {
      const lines = done(viewOf(withOurs('a chain that ends with a reject', 3)));
      expect(lines.slice(1, -1)).to.deep.equal([
        'delete rule inet filter forward handle 100',
        'delete rule inet filter forward handle 101',
        ...FORWARD.map(rule => `insert rule inet filter forward position 6 ${rule}`),
      ]);
    });

    it('lose it where nothing blocks any more, but not by a brief look, which sees less', () => {
      const tables = withOurs("libvirt's networks", 0);
      expect(done(viewOf(tables)).filter(line => line.startsWith('delete'))).to.have.length(2);
      expect(done(viewOf(tables, false))).to.deep.equal([]);
    });
  });

  it('that were not read are not acted upon', () => {
    const found = passages(CONFIG, UPLINK, [4]).map(resource => resource.probe(EMPTY_VIEW).is);
    expect(found).to.deep.equal(['present', 'present', 'present', 'present']);
  });

  it('are refused where nft prints no listing at all', () => {
    for (const text of ['{"nftables": 5}', 'segmentation fault'])
      expect(refusalOf(() => parseRuleset(text))).to.match(/^Cannot read nft's listing: /);
    expect(parseRuleset('')).to.deep.equal([]);
  });
});

/** A captured listing with two rules of ours put into its forward chain. */
function withOurs(name: string, place: number): ForeignTable[] {
  return listing(name).map(table => ({
    ...table,
    chains: new Map(
      [...table.chains].map(([key, chain]) => {
        const ours = [100, 101].map(handle => ({
          conditions: [],
          effect: 'accept' as const,
          handle,
          passage: 'ours',
        }));
        const rules =
          key === 'forward' ? chain.rules.toSpliced(rulePlace(chain.rules, place), 0, ...ours) : chain.rules;
        return [key, { ...chain, rules }];
      }),
    ),
  }));
}

/** A rule that looks up verdicts counts as one, though it is kept as several. */
function rulePlace(rules: readonly { handle?: number }[], place: number): number {
  const handles = [...new Set(rules.map(({ handle }) => handle))];
  const index = rules.findIndex(({ handle }) => handle === handles[place]);
  return index < 0 ? rules.length : index;
}

describe('firewalld', () => {
  const SHIPPED = { '/usr/lib/firewalld/policies/allow-host-ipv6.xml': '<policy/>' };
  const rule = { conditions: [], effect: 'accept' } as const;
  const table = (rules: readonly ForeignRule[]): ForeignTable => ({
    by: 'nft',
    family: 'inet',
    name: 'firewalld',
    harmless: false,
    chains: new Map([
      ['filter_FORWARD', { base: { point: 'forward', drops: true }, rules: [] }],
      ['filter_FWD_policy_hnet_allow', { rules }],
      ['filter_IN_policy_hnet-dhcp_allow', { rules }],
    ]),
  });
  const carry = [{ argv: ['iptables-restore', '-c'], text: '*filter\nCOMMIT\n' }];
  const withCarry = (view: View): View => {
    const foreign = view.filter.foreign as ForeignFilters;
    return { ...view, filter: { ...view.filter, foreign: { ...foreign, carry } } };
  };

  it('is told by policy files and a reload, which carries over what it would flush; its table is not touched', () => {
    const lines = done(withCarry(viewOf([table([])], true, SHIPPED)));
    expect(lines.filter(line => !line.startsWith(' ') && !line.startsWith('<'))).to.deep.equal([
      "cat > /etc/firewalld/policies/hnet.xml <<'END'",
      'END',
      "cat > /etc/firewalld/policies/hnet-dhcp.xml <<'END'",
      'END',
      'firewall-cmd --reload',
      "iptables-restore -c <<'END'",
      '*filter',
      'COMMIT',
      'END',
    ]);
    expect(lines.filter(line => line.includes('<rule'))).to.deep.equal([
      '  <rule family="ipv4"><source address="123.45.90.112/29"/><accept/></rule>',
      '  <rule family="ipv4"><destination address="123.45.90.112/29"/><accept/></rule>',
      '  <rule family="ipv4"><source address="172.30.0.0/16"/><accept/></rule>',
      '  <rule family="ipv4"><source address="0.0.0.0"/><port port="67" protocol="udp"/><accept/></rule>',
      '  <rule family="ipv4"><source address="172.30.0.0/16"/><port port="67" protocol="udp"/><accept/></rule>',
    ]);
  });

  it('is left alone once the files are there and loaded, and told again if they are not loaded', () => {
    const files = { ...SHIPPED, ...written() };
    expect(done(viewOf([table([rule])], true, files))).to.deep.equal([]);
    expect(done(viewOf([table([])], true, files))).to.include('firewall-cmd --reload');
    expect(
      done(viewOf([table([rule])], true, { ...files, '/etc/firewalld/policies/hnet.xml': 'old' })),
    ).to.include('firewall-cmd --reload');
    expect(done(viewOf([table([rule])], true, files), 'down')).to.deep.equal([
      'rm -f /etc/firewalld/policies/hnet.xml',
      'rm -f /etc/firewalld/policies/hnet-dhcp.xml',
      'firewall-cmd --reload',
    ]);
  });

  it('that is too old for policies, or does not run, is a stranger like any other, or nobody', () => {
    expect(done(viewOf([table([])]))).to.deep.equal(
      nft(FORWARD.map(words => `add rule inet firewalld filter_FORWARD ${words}`)),
    );
    expect(done(viewOf([], true, SHIPPED))).to.deep.equal([]);
  });

  it('with the backend iptables gets the files alone, and the accept in its chains', () => {
    const saved =
      '*filter\n:FORWARD ACCEPT [0:0]\n:FORWARD_ZONES - [0:0]\n:INPUT_ZONES - [0:0]\n-A FORWARD -j REJECT\nCOMMIT\n';
    const lines = done(viewOf(parseSaved(saved, 'iptables-nft', false), true, SHIPPED));
    expect(lines).to.include("cat > /etc/firewalld/policies/hnet.xml <<'END'");
    expect(lines).not.to.include('firewall-cmd --reload');
    expect(lines.filter(line => line.startsWith('-I FORWARD'))).to.have.length(2);
  });

  /** The files as `up` writes them. */
  function written(): Record<string, string> {
    const [policies] = passages(CONFIG, UPLINK, [4]);
    const actions = policies?.up(viewOf([table([])], true, SHIPPED)) ?? [];
    return Object.fromEntries(
      actions.flatMap(action => (action.kind === 'write' ? [[action.path, action.text]] : [])),
    );
  }
});
