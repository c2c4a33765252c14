import { expect } from 'chai';
import fc from 'fast-check';
import { format, parsePrefix } from '../../src/model/address.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import { readIntent, renderAssignment } from '../../src/model/metadata.ts';
import { OPEN } from '../../src/model/policy.ts';
import { addresses } from '../../src/model/prefix.ts';
import { Refusal } from '../../src/model/refusal.ts';
import { parseRule } from '../../src/model/rule.ts';
import { elements, parseXml } from '../../src/model/xml.ts';
import { hostile, uuid } from '../support/arbitrary.ts';
import { assignmentXml } from '../support/domain.ts';

const OWNER = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';
const HOLDS = '<address ip="123.45.90.116"/>';

/** What the children of `<metadata>` say. */
const intentOf = (inner: string) => readIntent(elements(parseXml(`<metadata>${inner}</metadata>`)));

/** As libvirt hands back what `renderAssignment` gave it: it adds the namespace. */
const returned = (text: string) => text.replace('<assignment', '<assignment xmlns="urn:hnet:1"');

function assignedOf(inner: string): Assignment {
  const intent = intentOf(inner);
  if (intent.kind !== 'assigned') throw new Error(JSON.stringify(intent));
  return intent.assignment;
}

/** Some of the addresses of a subnet, each on a bridge of its own or all on one. */
const assignment: fc.Arbitrary<Assignment> = fc
  .record({
    owner: fc.option(uuid, { nil: undefined }),
    prefixes: fc.subarray([...addresses(parsePrefix('123.45.90.112/28'))], { minLength: 1 }),
    shared: fc.boolean(),
  })
  .map(({ owner, prefixes, shared }) => ({
    owner,
    policy: OPEN,
    addresses: prefixes.map((prefix, index) => ({
      prefix,
      bridge: `br${shared ? 0 : index}`,
      scope: parsePrefix(`172.30.${shared ? 0 : index}.0/24`),
    })),
  }));

describe('metadata', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(assignment, one => {
        expect(assignedOf(returned(renderAssignment(one)))).to.deep.equal(one);
      }),
    );
  });

  it('is written as documented', () => {
    const [prefix, scope] = [parsePrefix('123.45.90.116'), parsePrefix('172.30.116.0/24')];
    const text = renderAssignment({
      owner: OWNER,
      policy: OPEN,
      addresses: [{ prefix, bridge: 'br116', scope }],
    });
    expect(text).to.equal(
      `<assignment domain="${OWNER}"><address ip="123.45.90.116" bridge="br116" scope="172.30.116.0/24"/></assignment>`,
    );
  });

  it("needs no more than an address, the article's rule giving the rest", () => {
    const [address] = assignedOf(
      '<assignment xmlns="urn:hnet:1"><address ip="123.45.90.116"/></assignment>',
    ).addresses;
    expect(address?.bridge).to.equal('br116');
    expect(address && format(address.scope)).to.equal('172.30.116.0/24');
  });

  it('means the same under any prefix, under none, and wherever the namespace is declared', () => {
    const wanted = assignedOf(assignmentXml(OWNER, ['123.45.90.116']));
    for (const text of [
      assignmentXml(OWNER, ['123.45.90.116'], 'x'),
      `<assignment xmlns="urn:hnet:1" domain="${OWNER}">${HOLDS}</assignment>`,
      `<h:assignment xmlns:h="urn:hnet:1" domain="${OWNER}"><address xmlns="urn:hnet:1" ip="123.45.90.116"/></h:assignment>`,
    ]) {
      expect(assignedOf(text)).to.deep.equal(wanted);
    }
    const above = parseXml(
      `<m xmlns:z="urn:hnet:1"><z:assignment domain="${OWNER}"><z:address ip="123.45.90.116"/></z:assignment></m>`,
    );
    expect(readIntent(elements(above))).to.deep.equal({ kind: 'assigned', assignment: wanted });
  });

  it("leaves others' elements alone, whatever they are called", () => {
    expect(intentOf('')).to.deep.equal({ kind: 'none' });
    expect(intentOf('<hnet:assignment xmlns:hnet="urn:hnet:2"/><assignment/>')).to.deep.equal({
      kind: 'none',
    });
    expect(intentOf(`<o:os xmlns:o="urn:o"/>${assignmentXml(OWNER, ['123.45.90.116'])}`).kind).to.equal(
      'assigned',
    );
  });

  for (const [what, inner, why] of [
    ['no address', '', 'the assignment holds no address'],
    ['an address that is none', '<address ip="1.2.3"/>', /^"1\.2\.3" is not an IP address/],
    ['an address without ip', '<address/>', '<address> has no "ip"'],
    ['host bits', '<address ip="123.45.90.116/29"/>', /host bits set: the subnet is 123\.45\.90\.112\/29$/],
    ['an unknown attribute', '<address ip="123.45.90.116" mac="x"/>', 'unknown attribute "mac" in <address>'],
    ['an unknown element', '<adress ip="123.45.90.116"/>', 'unknown element <adress> in <assignment>'],
    ["another's element inside", `${HOLDS}<x:y xmlns:x="urn:x"/>`, 'unknown element <y> in <assignment>'],
    [
      'a bridge that is no name',
      '<address ip="123.45.90.116" bridge="../br0"/>',
      /^bridge "\.\.\/br0" is not an interface name/,
    ],
    [
      'a bridge that looks like an option',
      '<address ip="123.45.90.116" bridge="-rf"/>',
      /is not an interface name/,
    ],
    [
      'a bridge of 16 bytes',
      '<address ip="123.45.90.116" bridge="br45678901234567"/>',
      /is not an interface name/,
    ],
    [
      'a scope that is public and vast',
      '<address ip="123.45.90.116" scope="172.0.0.0/8"/>',
      /^scope "172\.0\.0\.0\/8" is not/,
    ],
    ['a scope of IPv6', '<address ip="123.45.90.116" scope="fd00::/64"/>', /^scope "fd00::\/64" is not/],
    [
      '257 addresses',
      Array.from({ length: 257 }, (_, n) => `<address ip="123.45.${90 + (n >> 8)}.${n & 255}"/>`).join(''),
      'it has 257 addresses, and a domain may have 256; use subnets',
    ],
    [
      '1,001 rules',
      `${HOLDS}<policy>${'<rule>allow tcp/22</rule>'.repeat(1001)}</policy>`,
      'it has 1001 rules, and a domain may have 1000; use subnets',
    ],
    [
      'a word that never ends',
      `<address ip="${'1'.repeat(100_000)}"/>`,
      'ip "11111111111111111111"… has 100000 characters, more than 64',
    ],
    [
      'an attribute whose name never ends',
      `<address ${'a'.repeat(100_000)}="1"/>`,
      'attribute "aaaaaaaaaaaaaaaaaaaa"… has 100000 characters, more than 64',
    ],
    [
      'an element whose name never ends',
      `<${'a'.repeat(100_000)}/>`,
      'element "aaaaaaaaaaaaaaaaaaaa"… has 100000 characters, more than 64',
    ],
    [
      'a rule that never ends',
      `${HOLDS}<policy><rule>allow tcp/${'22,'.repeat(50_000)}22</rule></policy>`,
      'rule "allow tcp/22,22,22,2"… has 150012 characters, more than 1000',
    ],
    ['two boot files', `${HOLDS}<boot>a</boot><boot>b</boot>`, 'two elements <boot>, where one is allowed'],
    [
      'a boot file that says more to dnsmasq',
      `${HOLDS}<boot>a,b</boot>`,
      /^"a,b" is not a file's name or a URL/,
    ],
    [
      'a boot file that never ends',
      `${HOLDS}<boot>${'a'.repeat(100_000)}</boot>`,
      'boot file "aaaaaaaaaaaaaaaaaaaa"… has 100000 characters, more than 127',
    ],
    ['an address twice', HOLDS + HOLDS, '123.45.90.116 overlaps 123.45.90.116 of the same domain'],
    [
      'an address in its subnet',
      `<address ip="123.45.90.112/29"/>${HOLDS}`,
      /^123\.45\.90\.116 overlaps 123\.45\.90\.112\/29/,
    ],
    [
      'one bridge with two scopes',
      `${HOLDS}<address ip="123.45.90.117" bridge="br116"/>`,
      'bridge and scope contradict each other: br116 with 172.30.116.0/24, br116 with 172.30.117.0/24',
    ],
    [
      'one scope on two bridges',
      `${HOLDS}<address ip="123.45.53.116" bridge="br117"/>`,
      /^bridge and scope contradict each other/,
    ],
    [
      'overlapping scopes',
      `${HOLDS}<address ip="123.45.90.117" scope="172.30.116.0/25"/>`,
      'scopes 172.30.116.0/24 and 172.30.116.0/25 overlap',
    ],
  ] as const) {
    it(`is malformed with ${what}`, () => {
      const intent = intentOf(`<assignment xmlns="urn:hnet:1">${inner}</assignment>`);
      if (intent.kind !== 'malformed') throw new Error(intent.kind);
      if (typeof why === 'string') expect(intent.why).to.equal(why);
      else expect(intent.why).to.match(why);
    });
  }

  for (const [what, text, why] of [
    [
      'another element of ours',
      '<a xmlns="urn:hnet:1"/>',
      'unknown element <a> in the metadata, expected <assignment>',
    ],
    ['an owner that is no UUID', assignmentXml('vm1', ['123.45.90.116']), 'domain "vm1" is not a UUID'],
    [
      'two elements of ours, which bear different prefixes',
      assignmentXml(OWNER, ['123.45.90.116']) + assignmentXml(OWNER, ['123.45.90.117'], 'b'),
      'two elements of urn:hnet:1, where one is allowed',
    ],
  ] as const) {
    it(`is malformed with ${what}`, () => {
      expect(intentOf(text)).to.deep.equal({ kind: 'malformed', why });
    });
  }

  it('is not written where it could not be read again', () => {
    const address = assignedOf(assignmentXml(OWNER, ['123.45.90.116']));
    const rule = parseRule('allow tcp/22');
    const ports = Array.from({ length: 300 }, (_, n) => [2 * n + 1, 2 * n + 1] as const);
    for (const rules of [Array(1001).fill(rule), [{ ...rule, ports }]])
      expect(() => renderAssignment({ ...address, policy: { ...OPEN, rules } })).to.throw(Refusal);
  });

  it('is data, never an exception, whatever stands in the attributes', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (ip, bridge, scope) => {
        const attributes = new Map(Object.entries({ ip, bridge, scope }));
        const address = { name: 'address', namespace: 'urn:hnet:1', attributes, children: [] };
        const ours = {
          name: 'assignment',
          namespace: 'urn:hnet:1',
          attributes: new Map(),
          children: [address],
        };
        const intent = readIntent([ours]);
        expect(intent.kind).to.be.oneOf(['assigned', 'malformed']);
        if (intent.kind === 'malformed') expect(intent.why).not.to.match(/[\n\r]/);
      }),
    );
  });
});
