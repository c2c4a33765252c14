import { expect } from 'chai';
import { toAttachment } from '../../src/lifecycle/admission.ts';
import { parseAddress, parsePrefix } from '../../src/model/address.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import { differingParts, PART_WORDS, type Part } from '../../src/model/assignment-parts.ts';
import { parseAttachment, renderAttachment } from '../../src/model/attachment.ts';
import type { Address } from '../../src/model/bridge.ts';
import type { Domain } from '../../src/model/domain.ts';
import type { Forward } from '../../src/model/forward.ts';
import { parseForward } from '../../src/model/forward-words.ts';
import { parseAssignment, renderAssignment } from '../../src/model/metadata.ts';
import { METADATA_NAMESPACE } from '../../src/model/names.ts';
import type { Policy, PolicyRule } from '../../src/model/policy.ts';
import { parseRule } from '../../src/model/rule.ts';
import { parseXml } from '../../src/model/xml.ts';
import { classify } from '../../src/repair/classify.ts';
import { lackingNext } from '../../src/repair/plugs.ts';
import { uuidOf } from '../support/domain.ts';

const UUID = uuidOf('vm1');
const address = (ip: string, more: Partial<Address> = {}): Address => ({
  prefix: parsePrefix(ip),
  bridge: 'br116',
  scope: parsePrefix('172.30.116.0/24'),
  ...more,
});
const RULE = parseRule('allow tcp/22 from 203.0.113.0/24');
const FORWARD = parseForward('tcp/2201-2203:22');
const BEHIND = address('123.45.90.112/30', { via: parseAddress('123.45.90.117') });
/** It says something of everything that an assignment may say something of. */
const FULL: Assignment = {
  owner: UUID,
  addresses: [address('123.45.90.116'), address('123.45.90.117'), BEHIND],
  policy: { inbound: 'deny', isolate: true, rules: [RULE, parseRule('deny any')] },
  forwards: [FORWARD, parseForward('udp/53:53')],
  dhcp: 'public',
  boot: 'snponly.efi',
};

type Other<T> = { readonly [K in keyof T]-?: T[K] };
/** Of each field another value. What a type gains has to be given here, and then it is compared. */
const OTHER_RULE: Other<PolicyRule> = {
  direction: 'outbound',
  action: 'deny',
  protocol: 'udp',
  ports: [[22, 23]],
  peer: parsePrefix('203.0.113.0/25'),
};
const OTHER_FORWARD: Other<Forward> = {
  protocol: 'udp',
  ports: [2201, 2202],
  to: 23,
  on: parseAddress('123.45.12.48'),
};
const OTHER_ADDRESS: Other<Omit<Address, 'wire'>> = {
  prefix: parsePrefix('123.45.90.118'),
  bridge: 'br9',
  scope: parsePrefix('172.30.9.0/24'),
  via: parseAddress('123.45.90.116'),
};
const OTHER_POLICY: Other<Policy> = { inbound: 'allow', isolate: false, rules: [RULE] };

const eachOf = <T extends object>(value: T, others: Partial<T>): T[] =>
  Object.keys(others).map(key => ({ ...value, [key]: Reflect.get(others, key) }));
const { forwards: _forwards, ...UNCALLED } = FULL;
const { dhcp: _dhcp, ...WITHOUT_MODE } = FULL;
const { boot: _boot, ...WITHOUT_BOOT } = FULL;
const [HOP, ROUTER] = FULL.addresses.slice(0, 2);

/** Assignments that differ from {@link FULL} in one part, each in another field of it. */
const OTHERS: { readonly [P in Part]: readonly Assignment[] } = {
  addresses: [
    FULL.addresses.slice(1),
    ...eachOf(BEHIND, OTHER_ADDRESS).map(one => [HOP, ROUTER, one].filter(each => each !== undefined)),
  ].map(addresses => ({ ...FULL, addresses })),
  policy: [
    ...eachOf(FULL.policy, OTHER_POLICY),
    { ...FULL.policy, rules: FULL.policy.rules.toReversed() },
    ...eachOf(RULE, OTHER_RULE).map(rule => ({ ...FULL.policy, rules: [rule] })),
  ].map(policy => ({ ...FULL, policy })),
  forwards: [UNCALLED, ...eachOf(FORWARD, OTHER_FORWARD).map(forward => ({ ...FULL, forwards: [forward] }))],
  dhcp: [WITHOUT_MODE, { ...FULL, dhcp: 'off' }, { ...FULL, dhcp: 'bootstrap' }],
  boot: [WITHOUT_BOOT, { ...FULL, boot: 'other.efi' }],
};

const domain = (assignment: Assignment): Domain => ({
  uuid: UUID,
  name: 'vm1',
  nics: [],
  intent: { kind: 'assigned', assignment },
});
const wires = (): undefined => undefined;
/** As they are read again from where they were written. */
const written = (assignment: Assignment): Assignment =>
  parseAssignment(
    parseXml(renderAssignment(assignment).replace('<assignment', `$& xmlns="${METADATA_NAMESPACE}"`)),
  );
const recorded = (assignment: Assignment) =>
  parseAttachment(renderAttachment(toAttachment(domain(assignment), assignment, 'iptables', wires)));
const classed = (live: Assignment) =>
  classify(
    {
      uuid: UUID,
      record: recorded(FULL),
      isNewer: false,
      hadRecord: true,
      isUnchanged: true,
      isListed: true,
      isMoving: false,
      domain: domain(live),
    },
    wires,
  );

describe('the parts of an assignment', () => {
  it('are the same where they are read again, in whatever order addresses stand', () => {
    expect(differingParts(written(FULL), FULL)).to.deep.equal([]);
    expect(differingParts(recorded(FULL), FULL)).to.deep.equal([]);
    const turned = { ...FULL, addresses: FULL.addresses.toReversed() };
    expect(differingParts(turned, FULL)).to.deep.equal([]);
    expect(classed(written(turned)).is).to.equal('kept');
    expect(lackingNext(domain(FULL), domain(written(turned)))).to.deep.equal([]);
  });

  for (const [part, others] of Object.entries(OTHERS))
    it(`differ where another ${part} is in any field: in what runs, and in what starts next`, () => {
      const word = PART_WORDS[part as Part];
      for (const [place, other] of others.entries()) {
        const told = `${part} ${place}`;
        expect(differingParts(FULL, other), told).to.deep.equal([part]);
        const outcome = classed(other);
        expect(outcome.is === 'changed' && outcome.why, told).to.equal(
          `its metadata has changed while it runs: ${word}`,
        );
        expect(lackingNext(domain(FULL), domain(other)), told).to.have.length.greaterThan(0);
      }
    });
});
