import { expect } from 'chai';
import fc from 'fast-check';
import { policyChainNames, policyChains } from '../../src/firewall/rules/policy-chains.ts';
import { parsePrefix } from '../../src/model/address.ts';
import { parseAssignment, renderAssignment } from '../../src/model/metadata.ts';
import { METADATA_NAMESPACE } from '../../src/model/names.ts';
import { isTracked, OPEN, type Policy, type PolicyRule } from '../../src/model/policy.ts';
import { hasPorts, type PortRange, readProtocol } from '../../src/model/ports.ts';
import { Refusal } from '../../src/model/refusal.ts';
import { formatRule, parseRule } from '../../src/model/rule.ts';
import { parseXml } from '../../src/model/xml.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const ports = fc.array(
  fc.tuple(port, port).map(([a, b]): PortRange => [Math.min(a, b), Math.max(a, b)]),
  { maxLength: 40 },
);
const peers = ['203.0.113.0/24', '198.51.100.7', '0.0.0.0/1', '2001:db8::/32', '::/0'].map(parsePrefix);
const rules: fc.Arbitrary<PolicyRule> = fc
  .record({
    direction: fc.constantFrom('inbound' as const, 'outbound' as const),
    action: fc.constantFrom('allow' as const, 'deny' as const),
    protocol: fc.option(
      fc.integer({ min: 0, max: 255 }).map(number => readProtocol(String(number))),
      {
        nil: undefined,
      },
    ),
    ports,
    peer: fc.constantFrom(undefined, ...peers),
  })
  .map(rule => (rule.protocol !== undefined && hasPorts(rule.protocol) ? rule : { ...rule, ports: [] }));
const policies: fc.Arbitrary<Policy> = fc.record({
  inbound: fc.constantFrom('allow' as const, 'deny' as const),
  isolate: fc.boolean(),
  rules: fc.array(rules, { maxLength: 10 }),
});
/** Text that looks like a rule, and so gets further into the parser than any text would. */
const likeRules = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'allow',
        'deny',
        'inbound',
        'outbound',
        'from',
        'to',
        'tcp/',
        'udp/53',
        'icmp',
        'sctp/',
        '47',
        'any',
        ' ',
        '/',
        ',',
        '-',
      ),
      fc.string({ maxLength: 6 }),
    ),
  )
  .map(words => words.join(' '));

describe('rules of domains', () => {
  it('are the same after they were written and read', () => {
    fc.assert(
      fc.property(rules, rule => {
        expect(parseRule(formatRule(rule))).to.deep.equal(rule);
      }),
    );
  });

  for (const [what, texts] of [
    ['any text', fc.string()],
    ['any Unicode', fc.string({ unit: 'binary' })],
    ['words of rules in any order', likeRules],
  ] as const) {
    it(`are read from ${what}, or refused with a column within it`, () => {
      fc.assert(
        fc.property(texts, text => {
          try {
            parseRule(text);
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            const [, column] = /^Cannot read the rule ".*", column (\d+): /s.exec(error.message) ?? [];
            expect(Number(column), error.message).to.be.within(1, text.length + 1);
          }
        }),
      );
    });
  }

  it('outlive the metadata', () => {
    const [address] = [
      { prefix: parsePrefix('123.45.90.116'), bridge: 'br116', scope: parsePrefix('172.30.116.0/24') },
    ];
    fc.assert(
      fc.property(policies, policy => {
        const text = renderAssignment({ owner: undefined, addresses: [address], policy });
        const element = parseXml(text.replace('<assignment', `<assignment xmlns="${METADATA_NAMESPACE}"`));
        expect(parseAssignment(element).policy).to.deep.equal(policy);
      }),
    );
  });

  it('need tracking where there are any, or the default is to deny', () => {
    expect(isTracked(OPEN)).to.equal(false);
    expect(isTracked({ ...OPEN, isolate: true })).to.equal(false);
    expect(isTracked({ ...OPEN, inbound: 'deny' })).to.equal(true);
    expect(isTracked({ ...OPEN, rules: [parseRule('allow')] })).to.equal(true);
  });
});

describe('the chains of a domain', () => {
  const UUID = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';

  it("bear names that iptables takes, from the domain's UUID", () => {
    const names = Object.values(policyChainNames(UUID));
    expect(new Set(names).size).to.equal(names.length);
    for (const name of names)
      expect(name)
        .to.match(/^hnet-[a-z-]+-c64804abe8b51463$/)
        .and.have.length.at.most(28);
  });

  it('have a place for each rule of their direction and family, and one for what none matches', () => {
    fc.assert(
      fc.property(policies, policy => {
        for (const family of [4, 6] as const) {
          const [inbound, outbound, midstreamIn, midstreamOut] = policyChains(UUID, policy, family);
          const own = (direction: string) =>
            policy.rules.filter(
              rule => rule.direction === direction && [undefined, family].includes(rule.peer?.family),
            ).length;
          expect(inbound?.rules).to.have.length(own('inbound') + 1);
          expect(outbound?.rules).to.have.length(own('outbound') + 1);
          expect(midstreamIn?.rules).to.have.length(own('outbound') + 1);
          expect(midstreamOut?.rules).to.have.length(own('inbound') + 1);
        }
      }),
    );
  });

  it('end with the default for what comes in, and let out what no rule is about', () => {
    const policy = { inbound: 'deny', isolate: false, rules: [] } as const;
    const [inbound, outbound, midstreamIn, midstreamOut] = policyChains(UUID, policy, 4);
    expect(inbound?.rules).to.deep.equal([
      { when: [], verdict: { do: 'drop', cause: 'rules of the domain' } },
    ]);
    expect(outbound?.rules).to.deep.equal([{ when: [], verdict: { do: 'return' } }]);
    expect(midstreamIn?.rules).to.deep.equal([{ when: [], verdict: { do: 'return' } }]);
    expect(midstreamOut?.rules).to.deep.equal([{ when: [], verdict: { do: 'goto', chain: 'hnet-cut' } }]);
  });

  it('look at the far end, and at the ports of who was asked; mirrored, at those of who answers', () => {
    const rule = parseRule('deny tcp/22 from 203.0.113.0/24');
    const [inbound, , , midstreamOut] = policyChains(UUID, { ...OPEN, rules: [rule] }, 4);
    const peer = (side: string) => ({ is: 'net', side, prefix: rule.peer });
    const ranges = [[22, 22]];
    expect(inbound?.rules[0]?.when).to.deep.equal([
      peer('source'),
      { is: 'ports', protocol: 'tcp', ranges, side: 'destination' },
    ]);
    expect(midstreamOut?.rules[0]?.when).to.deep.equal([
      peer('destination'),
      { is: 'ports', protocol: 'tcp', ranges, side: 'source' },
    ]);
  });
});
