import { getPriority } from 'node:os';
import { expect } from 'chai';
import { ordinarily, urgently } from '../../src/host/priority.ts';

/** As root, as the gate runs; what comes of it for a start is in test/kernel/gate.test.ts. */
describe('the priority', () => {
  it('is high while others wait, ordinary for what is started meanwhile, and then what it was', () => {
    const before = getPriority();
    const [outer, inner, after] = urgently(() => [getPriority(), ordinarily(getPriority), getPriority()]);
    expect([outer, inner, after]).to.deep.equal([-15, 0, -15]);
    expect(getPriority()).to.equal(before);
  });

  it('is given back where the work fails', () => {
    const before = getPriority();
    const failing = () =>
      urgently(() => {
        throw new Error('as intended');
      });
    expect(failing).to.throw('as intended');
    expect(getPriority()).to.equal(before);
  });
});
