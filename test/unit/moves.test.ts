import { expect } from 'chai';
import type { Standing } from '../../src/libvirt/connection.ts';
import { parseAddress, routeKey } from '../../src/model/address.ts';
import { MOVE_STATES, type MoveState, metricOf, metricsOf } from '../../src/model/move.ts';
import { FAMILIES, type Family } from '../../src/model/prefix.ts';
import { EMPTY_VIEW, type Route, type View } from '../../src/model/view.ts';
import { dueBy, dueNow, lifeEvent, type Turn } from '../../src/moves/due.ts';
import { flowsAmong, opposed } from '../../src/moves/flow-text.ts';
import { type Action, joinWords } from '../../src/resources/action.ts';
import { hostRoute, turnRoute } from '../../src/resources/route.ts';

const ADDRESS: Readonly<Record<Family, string>> = { 4: '123.45.90.116', 6: '2001:db8:12:4900::116' };
const STATES: readonly (MoveState | undefined)[] = [undefined, ...MOVE_STATES];
const routed = (family: Family) => ({ prefix: parseAddress(ADDRESS[family]), bridge: 'br116' });
const linesOf = (actions: readonly Action[]): string[] =>
  actions.map(action => (action.kind === 'line' ? joinWords(action) : action.kind));

/** A view with routes of ours of some metrics. */
const standing = (family: Family, metrics: readonly number[]): View => {
  const { prefix, bridge } = routed(family);
  const route = (metric: number): Route => ({
    prefix,
    type: 'unicast',
    dev: bridge,
    gateway: undefined,
    protocol: '104',
    metric,
  });
  return { ...EMPTY_VIEW, routes: new Map(metrics.map(one => [routeKey(prefix, one), route(one)])) };
};

/** What the kernel makes of such lines: of IPv4 a deletion without a metric takes the best. */
function obeyed(family: Family, metrics: readonly number[], lines: readonly string[]): number[] {
  const left = new Set(metrics);
  for (const line of lines) {
    const named = / metric (\d+)/.exec(line)?.[1];
    const metric = named === undefined ? undefined : Number(named);
    if (line.startsWith('route replace')) left.add(metric ?? metricOf(family, undefined));
    else left.delete(metric ?? Math.min(...left));
  }
  return [...left];
}

describe('a route of a domain that moves between hosts', () => {
  for (const family of FAMILIES) {
    for (const state of STATES) {
      const title = `IPv${family}, ${state ?? 'here'}`;
      const route = hostRoute(routed(family), state);
      const wanted = metricOf(family, state);
      const others = metricsOf(family).filter(one => one !== wanted);

      it(`${title}: has one metric, and no other beside it`, () => {
        expect(route.probe(EMPTY_VIEW).is).to.equal('absent');
        expect(route.probe(standing(family, [wanted])).is).to.equal('present');
        for (const other of others) {
          const why = `its metric is ${other}`;
          expect(route.probe(standing(family, [other]))).to.deep.equal({
            is: 'changed',
            why: `${why}, not ${wanted}`,
          });
          expect(route.probe(standing(family, [wanted, other]))).to.deep.equal({
            is: 'changed',
            why: `${why} too, not ${wanted}`,
          });
        }
      });

      it(`${title}: comes up whatever stands there, and goes with all that a move may have left`, () => {
        for (const before of [[], ...metricsOf(family).map(one => [one]), metricsOf(family)]) {
          const up = linesOf(route.up(standing(family, before)));
          expect(obeyed(family, before, up), `${before}: ${up.join('; ')}`).to.deep.equal([wanted]);
          const down = linesOf(route.down(standing(family, before)));
          expect(obeyed(family, before, down), `${before}: ${down.join('; ')}`).to.deep.equal([]);
          const known = state === undefined ? [wanted] : metricsOf(family);
          const blind = linesOf(route.down(EMPTY_VIEW));
          expect(obeyed(family, known, blind), blind.join('; ')).to.deep.equal([]);
        }
      });
    }

    it(`IPv${family}: is turned without a look, from each state that comes before`, () => {
      const ways: readonly [readonly number[], MoveState | undefined][] = [
        [[metricOf(family, undefined)], 'leaving'],
        [[metricOf(family, 'arrived')], 'leaving'],
        [[metricOf(family, 'arrived'), metricOf(family, undefined)], 'leaving'],
        [[metricOf(family, 'incoming')], 'arrived'],
        [[metricOf(family, 'leaving')], undefined],
        [[metricOf(family, 'arrived')], undefined],
      ];
      for (const [before, state] of ways) {
        const lines = linesOf(turnRoute(routed(family), state));
        expect(obeyed(family, before, lines), `${before}: ${lines.join('; ')}`).to.deep.equal([
          metricOf(family, state),
        ]);
        expect(lines[0]).to.match(/^route replace/);
      }
    });
  }
});

describe('the events of a move', () => {
  it('are read with the name of their domain, which may be any', () => {
    for (const name of ['vm1', "o'neill", "a': Resumed", 'with space']) {
      const event = lifeEvent(`event 'lifecycle' for domain '${name}': Suspended Migrated`);
      expect(event).to.deep.equal({ domain: name, what: 'Suspended Migrated' });
    }
    expect(lifeEvent("event 'lifecycle' for domain vm1: Resumed Unpaused")?.domain).to.equal('vm1');
    for (const line of ['', 'virsh was started again', "event 'rtc-change' for domain 'vm1': 0"])
      expect(lifeEvent(line)).to.equal(undefined);
  });

  const due = (what: string): readonly (Turn | undefined)[] => STATES.map(state => dueBy({ what }, state));
  for (const [what, ...expected] of [
    // here, incoming, leaving, arrived
    ['Suspended Migrated', 'leaving', undefined, undefined, 'leaving'],
    ['Suspended Post-copy', 'leaving', undefined, undefined, 'leaving'],
    ['Suspended Paused', undefined, undefined, undefined, undefined],
    ['Resumed Migrated', undefined, 'arrived', 'here', undefined],
    ['Resumed Unpaused', undefined, 'arrived', 'here', undefined],
    ['Started Migrated', undefined, undefined, undefined, undefined],
    ['Stopped Migrated', undefined, undefined, undefined, undefined],
  ] as const)
    it(`${what} turns ${expected.map(one => one ?? 'nothing').join(', ')}`, () => {
      expect(due(what)).to.deep.equal(expected);
    });

  it('that were missed are made up for by what libvirt says', () => {
    const now = (one: Standing, isSettled: boolean) => STATES.map(state => dueNow(one, state, isSettled));
    expect(now('moving', true)).to.deep.equal(['leaving', undefined, undefined, 'leaving']);
    for (const one of ['running', 'held'] as const) {
      expect(now(one, false)).to.deep.equal([undefined, 'arrived', 'here', undefined]);
      expect(now(one, true)).to.deep.equal([undefined, 'arrived', 'here', 'here']);
    }
    expect(now('other', true)).to.deep.equal([undefined, undefined, undefined, undefined]);
  });
});

describe('the flows of a domain that moves', () => {
  const own = [parseAddress('123.45.90.116'), parseAddress('2001:db8:12:4900::116')];
  const flow = (from: string, to: string, back = to, home = from): string =>
    `-A -t 431999 -u SEEN_REPLY,ASSURED -s ${from} -d ${to} -r ${back} -q ${home} -p tcp --sport 40312 --dport 5000 --reply-port-src 5000 --reply-port-dst 40312 --state ESTABLISHED`;
  const opened = flow('2001:db8:12:4900::116', '2001:db8:ffff::10');
  const called = flow('198.51.100.10', '123.45.90.116');
  const echo =
    '-A -t 29 -u UNSET -s 123.45.90.116 -d 198.51.100.10 -r 198.51.100.10 -q 123.45.90.116 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 5';

  it('are handed over, those first that it has opened', () => {
    expect(flowsAmong([called, opened, echo], own)).to.deep.equal([opened, echo, called]);
  });

  it('replace those that stand the other way round', () => {
    const beside = ['123.45.90.116', '123.45.90.117'] as const;
    const reversed = flow(beside[1], beside[0])
      .replace('40312', 'X')
      .replaceAll('5000', '40312')
      .replace('X', '5000');
    const wrong = reversed.replace(/src 40312 (.*)dst 40312/, 'src 40312 $1dst 5000');
    const other = wrong.replace('--sport 5000', '--sport 5001');
    expect(opposed([wrong, other, opened, echo], [flow(...beside), opened, echo])).to.deep.equal([wrong]);
  });

  it("are no other domain's, and nobody translates them", () => {
    const others = [
      flow('198.51.100.10', '123.45.90.117'),
      flow('172.30.116.10', '198.51.100.10', '198.51.100.10', '123.45.12.48'),
      flow('198.51.100.10', '123.45.90.116', '172.30.116.10'),
    ];
    expect(flowsAmong(others, own)).to.deep.equal([]);
  });

  it('are nothing that conntrack would obey otherwise', () => {
    for (const line of [
      '',
      '-F',
      '-D -s 123.45.90.116',
      `${opened} -F`,
      `${opened}; reboot`,
      opened.replace('-A', '-I'),
      `-F\n${opened}`,
    ])
      expect(flowsAmong([line], own), line).to.deep.equal([]);
    expect(flowsAmong([opened.replace('40312', '$(id)')], own)).to.deep.equal([]);
  });
});
