import { expect } from 'chai';
import { about, allFound, linesOf, toAnswers } from '../../src/host/query.ts';
import { refusalOf } from '../support/refused.ts';

const QUERIES = {
  link: 'link show dev lo',
  lookups: about(['a', 'b', 'c'], name => `route get ${name}`),
  none: about([], String),
};
const FAILURES = `RTNETLINK answers: Invalid argument
Command failed -:3
Error: any valid prefix is expected rather than "c".
Second line
Command failed -:4
`;

describe('queries to ip', () => {
  it('are a line each, and one for the same question', () => {
    expect(linesOf({ ...QUERIES, again: 'route get a' })).to.deep.equal([
      'link show dev lo',
      'route get a',
      'route get b',
      'route get c',
    ]);
  });

  it('have their answers by key, the failures with the words of each', () => {
    const answers = toAnswers({ ...QUERIES, again: 'route get a' }, '[{"x":1}]\n\n[{"y":2}]\n', FAILURES);
    expect(answers.link).to.deep.equal({ found: [{ x: 1 }] });
    expect(answers.again).to.deep.equal({ found: [{ y: 2 }] });
    expect([...answers.lookups]).to.deep.equal([
      ['a', { found: [{ y: 2 }] }],
      ['b', { found: [], failure: 'RTNETLINK answers: Invalid argument' }],
      ['c', { found: [], failure: 'Error: any valid prefix is expected rather than "c".\nSecond line' }],
    ]);
    expect(allFound(answers.lookups)).to.deep.equal([{ y: 2 }]);
    expect(answers.none).to.deep.equal(new Map());
  });

  it('are refused where the answers are too few or too many to tell which is which', () => {
    for (const [stdout, count] of [
      ['[]\n', 1],
      ['[]\n[]\n[]\n', 3],
    ] as const)
      expect(refusalOf(() => toAnswers(QUERIES, stdout, FAILURES))).to.equal(
        `Cannot read "ip -json -details -force -batch -": it gave ${count} answers to 4 queries, of which 2 failed`,
      );
  });
});
