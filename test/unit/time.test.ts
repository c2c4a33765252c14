import { expect } from 'chai';
import { parseTime, shownTime } from '../../src/model/time.ts';
import { refusalOf } from './refusal.ts';

describe('times', () => {
  const SAME = [
    '2026-11-28 17:03:45',
    '2026-11-28T17:03:45Z',
    '2026-11-28T18:03:45+01:00',
    '2026-11-28 18:03:45 +0100',
    '2026-11-28 17:03:45 UTC',
    'Sat, 28 Nov 2026 18:03:45 +0100',
    'Sat, 28 Nov 2026 12:03:45 -0500 (EST)',
    '@1795885425',
  ];
  for (const text of SAME)
    it(`${text} is read`, () => {
      expect(parseTime(text)).to.equal('2026-11-28T17:03:45.000Z');
    });

  it('may have no seconds, or no time of day', () => {
    expect(parseTime('2026-11-28 17:03')).to.equal('2026-11-28T17:03:00.000Z');
    expect(parseTime('2026-11-28')).to.equal('2026-11-28T00:00:00.000Z');
  });

  for (const text of [
    '',
    'yesterday',
    '2026-13-01',
    '2026-02-31',
    '2026-11-28 25:00',
    '28.11.2026 17:03',
    '17:03',
    '1795885425',
  ])
    it(`"${text}" is refused`, () => {
      expect(refusalOf(() => parseTime(text)).message).to.match(/is not a time such as "2026-/);
    });

  it('are shown to the second', () => {
    expect(shownTime('2026-11-28T17:03:45.123Z')).to.equal('2026-11-28 17:03:45Z');
  });
});
