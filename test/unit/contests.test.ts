import { spawn } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { Contests, Refrain } from '../../src/repair/contests.ts';
import { Writers } from '../../src/repair/writers.ts';
import { ABSENT, changed, type Finding, misplaced, overall, PRESENT } from '../../src/resources/resource.ts';
import { parseContests } from '../../src/state/contests.ts';

const resource = { key: 'table raw', label: 'raw table', probe: () => PRESENT, up: () => [], down: () => [] };
const found = (finding: Finding) => ({ resource, finding });
const PLACE = found(misplaced('another rule comes first'));

/** Somebody else puts himself first again as soon as we are. @returns when we were put back, in seconds */
function fight(seconds: number, finding = PLACE): { times: number[]; contests: Contests } {
  let now = 0;
  const contests = new Contests(() => now);
  const times: number[] = [];
  for (; now <= seconds * 1000; now += 100) {
    if (contests.waits(finding)) continue;
    contests.mended([finding]);
    times.push(now / 1000);
  }
  return { times, contests };
}

describe('what may wait', () => {
  it('waits longer each time, from the third time within a minute on, and at most a minute', () => {
    expect(fight(300).times).to.deep.equal([0, 0.1, 0.2, 2.2, 6.2, 14.2, 30.2, 62.2, 122.2, 182.2, 242.2]);
  });

  it('is what is misplaced; what is missing or in the way never waits', () => {
    for (const finding of [ABSENT, changed('it blocks')])
      expect(fight(3, found(finding)).times).to.have.length(31);
  });

  it('is told of while it goes on, and begins anew after ten quiet minutes', () => {
    let now = 0;
    const contests = new Contests(() => now);
    for (now of [0, 30_000]) contests.mended([PLACE]);
    expect(contests.open).to.deep.equal([]);
    now = 59_000;
    contests.mended([PLACE]);
    expect(contests.open).to.deep.equal([
      { what: 'raw table', why: 'another rule comes first', times: 3, since: 0 },
    ]);
    expect(contests.next).to.equal(2_000);
    now += 10 * 60_000;
    expect(contests.open).to.deep.equal([]);
    expect(contests.next).to.equal(undefined);
    contests.mended([PLACE]);
    expect(contests.waits(PLACE)).to.equal(false);
  });

  it('never hides what else is wrong with the same thing', () => {
    expect(overall([misplaced('it is second'), PRESENT])).to.include({ why: 'it is second', mayWait: true });
    for (const worse of [ABSENT, changed('it has other rules')])
      expect(overall([misplaced('it is second'), worse])).not.to.have.property('mayWait');
  });
});

describe('what is said again and again', () => {
  it('is said at the first and the third time, then once a minute with the number', () => {
    let now = 0;
    const refrain = new Refrain(() => now);
    const said: string[] = [];
    for (; now < 150_000; now += 1000) {
      const line = refrain.of('put back: x');
      if (line !== undefined) said.push(`${now / 1000} ${line}`);
    }
    const again = (times: number): string => `put back: x: ${times} times by now; see hnet doctor`;
    expect(said).to.deep.equal(['0 put back: x', `2 ${again(3)}`, `62 ${again(63)}`, `122 ${again(123)}`]);
  });

  it('is said each time where that is seldom', () => {
    let now = 0;
    const refrain = new Refrain(() => now);
    for (const count of [1, 2, 3]) {
      expect(refrain.of('x')).to.equal(count === 1 ? 'x' : `x: ${count} times by now; see hnet doctor`);
      now += 61_000;
    }
    now += 600_000;
    expect(refrain.of('x')).to.equal('x');
  });
});

describe('who changes filters', () => {
  it('is named by an event, where a program does it itself', () => {
    const writers = new Writers();
    for (const line of ['add rule ip raw PREROUTING', '# new generation 7 by process 1 (calico-felix)'])
      writers.note(line);
    expect(writers.last).to.equal('calico-felix');
  });

  it('is the one who runs the tool that did it', async () => {
    const shell = spawn('sh', ['-c', 'sleep 1000 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const pid = await new Promise(resolve => shell.stdout.once('data', text => resolve(Number(text))));
      const writers = new Writers();
      writers.note(`# new generation 7 by process ${pid} (iptables-restor)`);
      expect(writers.last).to.equal('sh (iptables-restor)');
      process.kill(Number(pid));
    } finally {
      shell.kill();
    }
  });

  it("isn't us, nor a tool that has ended", () => {
    const writers = new Writers();
    writers.note(`# new generation 7 by process ${2 ** 30} (iptables)`);
    expect(writers.last).to.equal(undefined);
  });

  it('is never read from anything else', () =>
    fc.assert(fc.property(fc.string({ unit: 'binary' }), line => new Writers().note(line))));
});

describe('the record of contests', () => {
  it('is nothing where it is no record', () =>
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), text => Array.isArray(parseContests(text)))));
});
