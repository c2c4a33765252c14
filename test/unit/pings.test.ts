import { expect } from 'chai';
import { lossOf } from '../lab/pings.ts';

/** What `ping -D -O` prints: one line for an answer, one for each that has none when the next is sent. */
const answer = (second: string, sequence: number): string =>
  `[100.${second}] 64 bytes from 192.0.2.1: icmp_seq=${sequence} ttl=64 time=1.00 ms`;
const none = (second: string, sequence: number): string =>
  `[100.${second}] no answer yet for icmp_seq=${sequence}`;

describe('the counter of lost pings', () => {
  it('counts each that was sent and never answered, up to the last that was sent', () => {
    const lines = [
      answer('001', 1),
      none('020', 2),
      none('030', 3),
      answer('031', 4),
      none('050', 5),
      none('060', 6),
    ];
    expect(lossOf(lines.join('\n'))).to.include({ sent: 6, answered: 2, lost: 4, gap: 30 });
  });

  it('counts none that is answered late, and one answer of two', () => {
    const lines = [answer('001', 1), none('020', 2), answer('025', 3), answer('031', 2), answer('032', 2)];
    expect(lossOf(lines.join('\n'))).to.include({ sent: 3, lost: 0, duplicates: 1 });
  });

  it('begins with the first that is answered', () => {
    expect(lossOf([none('010', 1), none('020', 2), answer('021', 3)].join('\n'))).to.include({
      sent: 1,
      lost: 0,
    });
  });

  it('counts as lost what somebody on the way refused', () => {
    const refused = '[100.015] From 192.0.2.9 icmp_seq=2 Destination Host Unreachable';
    const lines = [answer('001', 1), refused, answer('021', 3)];
    expect(lossOf(lines.join('\n'))).to.include({ sent: 3, lost: 1, refused: 1 });
  });

  it('leaves out what was sent after the stop, but not what was lost before', () => {
    const lines = [answer('001', 1), none('020', 2), answer('021', 3), none('040', 4), answer('051', 5)];
    expect(lossOf(lines.join('\n'), 100_030)).to.include({ sent: 3, lost: 1 });
  });

  it('tells how long the sender itself stood still', () => {
    const lines = [answer('001', 1), answer('011', 2), answer('311', 3)];
    expect(lossOf(lines.join('\n'))).to.include({ lost: 0, gap: 300, pause: 300 });
    const lost = [answer('001', 1), ...[2, 3, 4, 5].map(n => none(`0${n}0`, n)), answer('061', 6)];
    expect(lossOf(lost.join('\n'))).to.include({ lost: 4, gap: 60, pause: 20 });
  });

  it("goes on after 65,535, where ping's numbers begin anew", () => {
    const lines = [answer('001', 65_534), answer('011', 65_535), none('030', 0), answer('031', 1)];
    expect(lossOf(lines.join('\n'))).to.include({ sent: 4, lost: 1 });
  });
});
