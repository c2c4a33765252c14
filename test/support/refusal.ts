import { expect } from 'chai';
import type { Outcome } from '../lab/run.ts';

/** What libvirt's user sees of a start that is refused: one line on standard error, and nothing else anywhere. */
export function expectRefusal(outcome: Outcome, name: string, why: RegExp | string): void {
  expect(outcome.stdout).to.equal('');
  expect(outcome.code).to.equal(1);
  const lines = outcome.stderr.split('\n');
  expect(lines, outcome.stderr).to.have.length(1);
  const start = `hnet: Cannot start ${JSON.stringify(name)}: `;
  expect(outcome.stderr.slice(0, start.length)).to.equal(start);
  expect(outcome.stderr).not.to.contain('a bug in hnet');
  const said = outcome.stderr.slice(start.length);
  if (typeof why === 'string') expect(said).to.equal(why);
  else expect(said).to.match(why);
}
