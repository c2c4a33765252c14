import { expect } from 'chai';
import { Complaints } from '../../src/repair/complaints.ts';

const MINUTE = 60_000;

describe('complaints', () => {
  it('says once what goes on, and again after an hour', () => {
    const complaints = new Complaints();
    const said = Array.from({ length: 130 }, (_, minute) => complaints.news(['a'], minute * MINUTE));
    expect(said.flatMap((lines, minute) => (lines.length > 0 ? [minute] : []))).to.deep.equal([0, 60, 120]);
  });

  it('says at once what is new, and what comes back', () => {
    const complaints = new Complaints();
    expect(complaints.news(['a'], 0)).to.deep.equal(['a']);
    expect(complaints.news(['a', 'b', 'b'], 1)).to.deep.equal(['b']);
    expect(complaints.news([], 2)).to.deep.equal([]);
    expect(complaints.news(['b', 'a'], 3)).to.deep.equal(['b', 'a']);
  });
});
