import { expect } from 'chai';
import { readLine } from '../../../cockpit/src/model/lines.ts';
import { addressKey, after, NOTHING, type Seen } from '../../../cockpit/src/model/seen.ts';
import { Refusal } from '../../../src/model/refusal.ts';
import { CLUSTER } from '../../page/recorded.ts';
import { breaches } from '../../support/promised.ts';
import { lineOf, sampleCounters, sampleDomain, sampleState } from './samples.ts';

const VM1 = sampleDomain({ number: 1, name: 'vm1', addresses: ['123.45.90.116'] });
const VM2 = sampleDomain({ number: 2, name: 'vm2', addresses: ['123.45.90.117'] });

/** What is known after some lines, each as the monitor would write it. */
function seenOf(...lines: readonly object[]): Seen {
  return lines.reduce<Seen>((seen, line, at) => {
    const read = readLine(lineOf(line, at * 5));
    return read === undefined ? seen : after(seen, read);
  }, NOTHING);
}

describe('the page reads lines of the monitor', () => {
  it('that were recorded on a host of a cluster, and still are as docs/schema promises', () => {
    const lines = CLUSTER.trimEnd().split('\n');
    expect(lines.map(line => breaches('monitor', JSON.parse(line)))).to.deep.equal(lines.map(() => ''));
    expect(lines.map(line => readLine(line)?.type)).to.include.members(['state', 'counters']);
  });

  it('takes each kind, and keeps the last of each', () => {
    const fault = {
      domain: null,
      uuid: null,
      what: 'forwarding',
      is: 'missing',
      why: 'off',
      mend: 'hnet sync',
    };
    const other = { domain: 'vm9', uuid: VM2.uuid, state: 'stopped', interfaces: [] };
    const { state } = seenOf(
      sampleState([VM1, VM2]),
      { type: 'domain', uuid: VM2.uuid, domain: null },
      { type: 'domain', uuid: VM1.uuid, domain: { ...VM1, state: 'stopped' } },
      { type: 'others', others: [other] },
      { type: 'faults', faults: [fault] },
      { type: 'findings', findings: [{ what: 'a', why: 'b', mend: 'c' }] },
      { type: 'pools', pools: [] },
      {
        type: 'keptBack',
        keptBack: { own: [{ address: '123.45.90.112', interface: 'eth0', host: null }], reservations: [] },
      },
    );
    expect([...(state?.domains.values() ?? [])].map(one => [one.domain, one.state])).to.deep.equal([
      ['vm1', 'stopped'],
    ]);
    expect(state?.others.map(({ domain }) => domain)).to.deep.equal(['vm9']);
    expect(state?.faults).to.deep.equal([fault]);
    expect(state?.findings).to.have.length(1);
    expect(state?.pools).to.deep.equal([]);
    expect(state?.keptBack.own[0]?.interface).to.equal('eth0');
  });

  it('has rates between two counters, and none for an address that is new, or counts anew', () => {
    const one = seenOf(sampleState([VM1]), sampleCounters([VM1], 1000), sampleCounters([VM1, VM2], 6000));
    const rates = one.samples.at(-1)?.rates;
    expect(rates?.get(addressKey({ uuid: VM1.uuid, address: '123.45.90.116' }))).to.deep.equal({
      in: 1000,
      out: 500,
    });
    expect(rates?.has(addressKey({ uuid: VM2.uuid, address: '123.45.90.117' }))).to.equal(false);
    const less = seenOf(sampleState([VM1]), sampleCounters([VM1], 6000), sampleCounters([VM1], 1000));
    expect([...(less.samples[0]?.rates.values() ?? [])]).to.deep.equal([{ in: 0, out: 0 }]);
  });

  it('keeps ten minutes of rates, and what happened last first', () => {
    const many = Array.from({ length: 200 }, (_, at) => at);
    const seen = many.reduce<Seen>((before, at) => {
      const line = readLine(lineOf({ ...sampleCounters([VM1], at), at: new Date(at * 5000).toISOString() }));
      return line === undefined ? before : after(before, line);
    }, NOTHING);
    expect(seen.samples).to.have.length(120);
    const entry = (what: string) => ({ at: '2026-11-28T12:00:00Z', is: 'repaired', what, domain: null });
    const { happened } = seenOf(
      { type: 'happened', entry: entry('first') },
      { type: 'happened', entry: entry('second') },
    );
    expect(happened.map(({ what }) => what)).to.deep.equal(['second', 'first']);
  });

  it('keeps what it saw where the host cannot be looked at, and says why', () => {
    const seen = seenOf(sampleState([VM1]), { type: 'error', error: 'Cannot connect to libvirt' });
    expect(seen.error).to.equal('Cannot connect to libvirt');
    expect(seen.state?.domains.size).to.equal(1);
    expect(seenOf({ type: 'error', error: 'Cannot' }, { type: 'error', error: null }).error).to.equal(null);
  });

  it('means nothing before the state, and takes no notice of what it does not know', () => {
    expect(seenOf({ type: 'pools', pools: [] }).state).to.equal(undefined);
    expect(readLine('{"version":1,"type":"weather","is":"fine"}')).to.equal(undefined);
    const more = JSON.parse(lineOf(sampleState([VM1])));
    more.domains[0].mood = 'good';
    expect(readLine(JSON.stringify(more))).to.have.property('type', 'state');
  });

  for (const [what, line, why] of [
    ['what is no JSON', '{"version":1', 'Cannot read a line of hnet monitor: '],
    ['a line of another version', '{"version":2,"type":"state"}', 'have version 2, and this page reads 1'],
    ['a line without a kind', '{"version":1}', 'type'],
    ['a key of another type', '{"version":1,"type":"pools","pools":[{"pool":1}]}', 'pools.0.pool'],
    [
      'a state of a domain that there is not',
      lineOf(sampleState([VM1])).replace('running', 'flying'),
      'domains.0.state',
    ],
  ] as const)
    it(`refuses ${what}, and says where`, () => expect(() => readLine(line)).to.throw(Refusal, why));
});
