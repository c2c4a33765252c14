import { expect } from 'chai';
import { nextRuleWords } from '../../src/cli/completion/rule-words.ts';
import { OPEN, type Policy } from '../../src/model/policy.ts';
import { formatRule, parseRule } from '../../src/model/rule.ts';

const RULES = ['allow tcp/22', 'outbound deny tcp/25'].map(parseRule);
const POLICY: Policy = { ...OPEN, rules: RULES };

const wordsAfter = (...words: string[]): string[] => nextRuleWords(words, POLICY).map(([word]) => word);

describe('the words of a rule at TAB', () => {
  it('are the kinds of changes, then what each of them takes', () => {
    expect(wordsAfter()).to.include.members(['allow', 'deny', 'outbound', 'default', 'isolate', 'delete']);
    expect(wordsAfter('default')).to.deep.equal(['allow', 'deny']);
    expect(wordsAfter('isolate')).to.deep.equal(['on', 'off']);
    expect(wordsAfter('isolate', 'on')).to.deep.equal([]);
    expect(wordsAfter('outbound')).to.deep.equal(['allow', 'deny']);
  });

  it('are the numbers of the rules, which say what they are', () => {
    expect(nextRuleWords(['delete'], POLICY)).to.deep.equal(
      RULES.map((rule, at) => [`${at + 1}`, formatRule(rule)]),
    );
    expect(nextRuleWords(['delete'], OPEN)).to.deep.equal([]);
    expect(wordsAfter('move', '2')).to.deep.equal(['1', '2']);
    expect(wordsAfter('move', '2', '1')).to.deep.equal([]);
    expect(wordsAfter('insert', '1', 'outbound')).to.deep.equal(['allow', 'deny']);
  });

  it('lead to a rule, whichever is taken', () => {
    let rules = 0;
    const follow = (words: readonly string[]): void => {
      const next = wordsAfter(...words).filter(
        word => !['default', 'isolate', 'delete', 'move', 'insert'].includes(word),
      );
      for (const word of next) {
        const longer = [...words, word];
        const text = word === 'from' || word === 'to' ? [...longer, '203.0.113.0/24'] : longer;
        if (!['inbound', 'outbound'].includes(word)) {
          expect(() => parseRule(text.join(' ')), text.join(' ')).not.to.throw();
          rules++;
        }
        if (text === longer) follow(longer);
      }
    };
    follow([]);
    expect(rules).to.be.above(100);
  });
});
