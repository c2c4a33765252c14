import { expect } from 'chai';
import type { Line, State } from '../../src/cli/monitor/lines.ts';
import { type Eyes, Observer } from '../../src/cli/monitor/observer.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { Refusal } from '../../src/model/refusal.ts';
import { PATIENCE, until } from '../lab/wait.ts';

type Told = (findings: State['findings']) => void;

const FINDING = { what: 'a', why: 'b', mend: 'c' };
const HOUR = 3_600_000;

/** An observer of a made-up host, with what it has told, and with doctor's answers, which the test gives. */
function observing(state: () => ReturnType<Eyes['state']>) {
  const told: Line[] = [];
  const doctors: Told[] = [];
  const eyes: Eyes = {
    config: () => parseConfig('pools = []'),
    state,
    counters: () => ({ type: 'counters', addresses: [], domains: [], dropped: {} }),
    pulse: () => '',
    entry: entry => entry,
    examine: answer => void doctors.push(answer),
    sources: () => [],
  };
  const observer = new Observer(eyes, line => told.push(line));
  observer.start(HOUR);
  return {
    told,
    doctor: (findings: State['findings']) => doctors[0]?.(findings),
    stop: () => observer.stop(),
  };
}

const STATE = {
  host: {},
  domains: [],
  others: [],
  elsewhere: null,
  pools: [],
  keptBack: { own: [], reservations: [] },
  faults: [],
};
const kindsOf = (lines: readonly Line[]): string[] => lines.map(({ type }) => type);

describe('the observer of a host', () => {
  it('tells the state and the counters before doctor has ended, then what that has found', () => {
    const { told, doctor, stop } = observing(() => STATE);
    expect(kindsOf(told)).to.deep.equal(['state', 'counters']);
    doctor([FINDING]);
    expect(told.at(-1)).to.deep.equal({ type: 'findings', findings: [FINDING] });
    stop();
  });

  it('tells once that doctor has found nothing', () => {
    const { told, doctor, stop } = observing(() => STATE);
    doctor([]);
    doctor([]);
    expect(kindsOf(told)).to.deep.equal(['state', 'counters', 'findings']);
    stop();
  });

  it('tells what doctor has found with the state, where the host could not be looked at before', async () => {
    let isBlind = true;
    const { told, doctor, stop } = observing(() => {
      if (isBlind) throw new Refusal('Cannot connect to libvirt');
      return STATE;
    });
    doctor([FINDING]);
    expect(kindsOf(told)).to.deep.equal(['error', 'counters']);
    isBlind = false;
    await until(() => kindsOf(told).includes('state'), PATIENCE, 'the state');
    // Meanwhile counters and the journal could be read: that is no reason to say that all is well.
    expect(told.filter(({ type }) => type !== 'counters')).to.deep.equal([
      { type: 'error', error: 'Cannot connect to libvirt' },
      { type: 'state', ...STATE, findings: [FINDING] },
      { type: 'error', error: null },
    ]);
    stop();
  });
});
