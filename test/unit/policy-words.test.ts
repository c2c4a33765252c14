import { expect } from 'chai';
import { OPEN } from '../../src/model/policy.ts';
import { editPolicy } from '../../src/model/policy-words.ts';
import { UsageRefusal } from '../../src/model/refusal.ts';
import { formatRule, parseRule } from '../../src/model/rule.ts';

const RULES = ['allow tcp/22', 'allow tcp/80', 'outbound deny tcp/25'];
const POLICY = { ...OPEN, rules: RULES.map(parseRule) };
const [SSH, WEB, MAIL] = RULES;
const changed = (words: string): string[] => editPolicy(POLICY, words.split(' ')).rules.map(formatRule);

describe('the words that change a policy', () => {
  for (const [words, rules] of [
    ['allow udp/53', [SSH, WEB, MAIL, 'allow udp/53']],
    ['delete 2', [SSH, MAIL]],
    ['insert 1 deny any from 203.0.113.66', ['deny any from 203.0.113.66', SSH, WEB, MAIL]],
    ['insert 4 deny icmp', [SSH, WEB, MAIL, 'deny icmp']],
    ['move 3 1', [MAIL, SSH, WEB]],
    ['move 1 3', [WEB, MAIL, SSH]],
    ['move 2 2', [SSH, WEB, MAIL]],
  ] as const)
    it(words, () => expect(changed(words)).to.deep.equal(rules));

  it('are also about inbound flows that no rule matches, and about other domains', () => {
    expect(editPolicy(POLICY, ['default', 'deny'])).to.deep.equal({ ...POLICY, inbound: 'deny' });
    expect(editPolicy(POLICY, ['isolate', 'on'])).to.deep.equal({ ...POLICY, isolate: true });
  });

  for (const [words, why] of [
    ['delete 4', 'Cannot delete rule "4": there are 3 rules'],
    ['delete', 'Cannot delete rule "": there are 3 rules'],
    ['move 4 1', 'Cannot move rule "4": there are 3 rules'],
    ['move 1 4', 'Cannot move a rule to place "4": there are 3 rules'],
    ['move 1', 'Cannot move a rule to place "": there are 3 rules'],
    ['move 1 2 3', 'Cannot move a rule: move takes its number and the one it shall have'],
    ['insert 5 deny icmp', 'Cannot insert a rule at place "5": there are 3 rules'],
    ['insert 1 deny ports', 'Cannot read the rule "deny ports", column 6: "ports" is not'],
    ['default maybe', 'Cannot set default to "maybe": it is allow or deny'],
  ] as const)
    it(`refuse "${words}"`, () => expect(() => changed(words)).to.throw(UsageRefusal, why));
});
