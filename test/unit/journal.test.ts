import { expect } from 'chai';
import fc from 'fast-check';
import { parsePrefix } from '../../src/model/address.ts';
import {
  effectOf,
  type Fact,
  type FactEntry,
  isFact,
  journalLine,
  lineAround,
  parseJournal,
} from '../../src/model/journal.ts';
import { held, standing, type Tenure, tenuresOf } from '../../src/model/tenure.ts';

const ADDRESS = parsePrefix('123.45.90.116');
const VM1 = { domain: 'vm1', uuid: 'c64804ab-817f-4cb6-af52-3d0ee8b51463' };
const VM2 = { domain: 'vm2', uuid: '0b4cbbd7-4a5b-4b07-9a3e-1f4bdc4f2b8e' };
const at = (minute: number): string => new Date(Date.UTC(2026, 10, 28, 17, minute)).toISOString();
const fact = (is: Fact['is'], more: Partial<Fact> = {}): Fact => ({ is, address: ADDRESS, ...VM1, ...more });
/** Facts a minute apart, from 17:00 on. */
const journal = (...facts: (Fact & { boot?: string; booted?: string })[]): FactEntry[] =>
  facts.map(({ boot = 'a', booted, ...one }, minute) => ({
    ...one,
    at: at(minute),
    boot,
    ...(booted && { booted }),
  }));
const NOW = { at: at(50), boot: 'a' };
const up = (entries: FactEntry[], now = NOW): Tenure[] =>
  tenuresOf(entries, now).filter(({ kind }) => kind === 'up');

describe('the journal', () => {
  const names = fc.string({ unit: 'binary' });

  it('is read as it was written, whatever a domain is called', () => {
    fc.assert(
      fc.property(names, names, fc.boolean(), (domain, other, running) => {
        const one = fact('move', { domain, running, from: { domain: other, uuid: VM2.uuid, running } });
        const moment = { at: at(0), boot: 'a', booted: at(0) };
        expect(parseJournal(`${journalLine(one, moment)}\n`)).to.deep.equal({
          entries: [{ ...one, ...moment }],
          skipped: 0,
        });
      }),
    );
  });

  it('is the same where a shell writes the time into a line', () => {
    fc.assert(
      fc.property(names, domain => {
        const one = fact('stop', { domain });
        const [before, after] = lineAround(one, 'a');
        expect(`${before}${at(3)}${after}`).to.equal(journalLine(one, { at: at(3), boot: 'a' }));
      }),
    );
  });

  it('loses a line that was cut off, and no other', () => {
    const lines = [0, 1, 2].map(minute =>
      journalLine(fact('start', { domain: '{"version":' }), { at: at(minute), boot: 'a' }),
    );
    const [first = '', second = '', third = ''] = lines;
    for (let length = 1; length < second.length; length++) {
      const cut = second.slice(0, length);
      for (const text of [`${first}\n${cut}${third}\n`, `${first}\n${cut}\n${third}\n`]) {
        const { entries, skipped } = parseJournal(text);
        expect(
          entries.map(entry => entry.at),
          text,
        ).to.deep.equal([at(0), at(2)]);
        expect(skipped).to.equal(1);
      }
    }
    expect(parseJournal(`${first}\n\0\0\0${third}`).entries).to.have.length(2);
  });

  it('leaves lines of another version alone, and counts them', () => {
    const line = journalLine(fact('start'), { at: at(0), boot: 'a' }).replace(':1,', ':2,');
    expect(parseJournal(`${line}\n`)).to.deep.equal({ entries: [], skipped: 1 });
  });

  it('survives anything', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => parseJournal(text).skipped >= 0));
  });
});

describe('who had an address when', () => {
  it('is from a start to the stop', () => {
    const entries = journal(fact('start'), fact('stop'), fact('start', VM2));
    expect(up(entries)).to.deep.equal([
      { kind: 'up', address: ADDRESS, ...VM1, since: at(0), until: at(1) },
      { kind: 'up', address: ADDRESS, ...VM2, since: at(2) },
    ]);
    expect(standing(entries, NOW)).to.have.length(1);
  });

  it('changes hands while both run, and only where they run', () => {
    const moved = (running: boolean, was: boolean) =>
      up(journal(fact('start'), fact('move', { ...VM2, running, from: { ...VM1, running: was } })));
    expect(moved(true, true).map(one => [one.domain, one.since, one.until])).to.deep.equal([
      ['vm1', at(0), at(1)],
      ['vm2', at(1), undefined],
    ]);
    expect(moved(false, true).map(one => [one.domain, one.until])).to.deep.equal([['vm1', at(1)]]);
    expect(effectOf(fact('move', { running: false, from: { ...VM1, running: false } }))).to.deep.equal({});
    expect(up(journal(fact('assign', { running: true }), fact('unassign', { running: true })))).to.deep.equal(
      [{ kind: 'up', address: ADDRESS, ...VM1, since: at(0), until: at(1) }],
    );
    expect(up(journal(fact('assign', { running: false })))).to.deep.equal([]);
  });

  it('ends with the run of the host, at the latest when that was booted anew', () => {
    const next = { ...fact('start', VM2), boot: 'b' };
    const [first] = up(
      journal(fact('start'), { ...fact('stop', VM2) }, { ...next, booted: at(1).replace('01:00', '01:30') }),
    );
    expect(first).to.include({ since: at(0), last: at(1), until: '2026-11-28T17:01:30.000Z' });
    // Not by an uptime that says nothing: that of a container's host.
    expect(up(journal(fact('start'), { ...next, booted: at(0) }))[0]).to.include({
      last: at(0),
      until: at(1),
    });
    expect(up(journal(fact('start')), { at: at(50), boot: 'b' })[0]).to.include({
      last: at(0),
      until: at(50),
    });
    expect(standing(journal(fact('start')), { at: at(50), boot: 'b' })).to.deep.equal([]);
  });

  it('goes on over what is noted twice, and over a month that begins with what runs', () => {
    expect(up(journal(fact('start'), fact('runs'), fact('stop'), fact('gone')))).to.deep.equal([
      { kind: 'up', address: ADDRESS, ...VM1, since: at(0), until: at(2) },
    ]);
  });

  it('is on one host at a time while its domain moves between them', () => {
    const entries = journal(fact('start'), fact('leaves'), fact('stays'), fact('leaves'), fact('arrives'));
    for (const kind of ['up', 'assigned'])
      expect(
        tenuresOf(entries, NOW).flatMap(one => (one.kind === kind ? [[one.since, one.until]] : [])),
        kind,
      ).to.deep.equal([
        [at(0), at(1)],
        [at(2), at(3)],
        [at(4), undefined],
      ]);
  });

  it('knows to whom it was assigned, running or not', () => {
    const entries = journal(
      fact('assign', { running: false }),
      fact('start'),
      fact('stop'),
      fact('move', { ...VM2, running: false, from: { ...VM1, running: false } }),
    );
    const assigned = tenuresOf(entries, NOW).filter(({ kind }) => kind === 'assigned');
    expect(assigned.map(one => [one.domain, one.since, one.until])).to.deep.equal([
      ['vm1', at(0), at(3)],
      ['vm2', at(3), undefined],
    ]);
  });

  it('holds from its first moment on, and not at its last', () => {
    const one = { kind: 'up' as const, address: ADDRESS, ...VM1, since: at(1), until: at(2) };
    expect([at(0), at(1), at(2)].map(moment => held(one, moment))).to.deep.equal([false, true, false]);
  });

  it('is the same, whichever month one begins to read at, for what runs then', () => {
    const steps = fc.array(fc.constantFrom<Fact['is']>('start', 'stop'), { maxLength: 20 });
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const first = journal(...before.map(is => fact(is)));
        const still = standing(first, NOW).map(one => ({ ...fact('runs'), address: one.address }));
        const later = journal(...[...before, ...after].map(is => fact(is)));
        const alone = journal(...still, ...after.map(is => fact(is)));
        expect(standing(alone, NOW).map(({ domain }) => domain)).to.deep.equal(
          standing(later, NOW).map(({ domain }) => domain),
        );
        expect(later.every(isFact)).to.equal(true);
      }),
    );
  });
});
