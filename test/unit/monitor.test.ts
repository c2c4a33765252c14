import { expect } from 'chai';
import fc from 'fast-check';
import { changesBetween, following, type Line, type State } from '../../src/cli/monitor/lines.ts';
import { drawn, EMPTY_SCREEN, screenText } from '../../src/cli/monitor/screen.ts';
import type { Shown } from '../../src/cli/views/shapes.ts';

const shown = (uuid: string, faults: readonly string[] = [], state: Shown['state'] = 'running'): Shown => ({
  domain: `vm-${uuid}`,
  uuid,
  state,
  policy: 'open',
  dhcp: null,
  boot: null,
  default: 'allow',
  isolate: false,
  rules: [],
  forwards: [],
  interfaces: [],
  addresses: [
    { address: `123.45.90.${uuid}`, bridge: 'br1', scope: '172.30.1.0/24', via: null, lease: null, faults },
  ],
  faults,
});
const POOL = { pool: '123.45.90.0/24', size: 256n, assigned: 0n, up: 0n, reserved: 0n };
const FAULT = {
  domain: null,
  uuid: null,
  what: 'forwarding',
  is: 'missing',
  why: 'it is off',
  mend: 'hnet sync',
} as const;
const NONE = { own: [], reservations: [] };
const OTHER = { domain: 'x', uuid: '9', state: 'stopped', interfaces: [] } as const;
const THERE = { domain: 'y', uuid: '8', host: 'h2', state: 'running', to: null, addresses: [] } as const;
const EMPTY: State = {
  host: {},
  domains: [],
  others: [],
  elsewhere: null,
  pools: [],
  keptBack: NONE,
  faults: [],
  findings: [],
};
const FINDING = { what: 'a', why: 'b', mend: 'c' };

const someState: fc.Arbitrary<State> = fc
  .record({
    host: fc.constantFrom({ backend: 'nftables' }, { backend: 'iptables' }),
    domains: fc.uniqueArray(
      fc
        .tuple(fc.constantFrom('1', '2', '3', '4'), fc.constantFrom([], ['route: missing']))
        .map(([uuid, faults]) => shown(uuid, faults)),
      { selector: ({ uuid }) => uuid },
    ),
    others: fc.constantFrom([], [OTHER]),
    elsewhere: fc.constantFrom(null, [], [THERE]),
    keptBack: fc.constantFrom(NONE, {
      ...NONE,
      own: [{ address: '123.45.90.1', interface: 'eth0', host: null }],
    }),
    free: fc.bigInt({ min: 0n, max: 3n }),
    faults: fc.constantFrom([], [FAULT]),
    findings: fc.constantFrom([], [FINDING]),
  })
  .map(({ free, ...rest }) => ({ ...rest, pools: [{ ...POOL, free }] }));

const sorted = (state: State | undefined) => ({
  ...state,
  type: undefined,
  domains: state?.domains.toSorted((a, b) => a.uuid.localeCompare(b.uuid)),
});

describe('the lines of the monitor', () => {
  it('bring a reader from each state to the next', () => {
    fc.assert(
      fc.property(someState, someState, (before, after) => {
        const first: Line = { type: 'state', ...before };
        const state = [first, ...changesBetween(before, after)].reduce<State | undefined>(
          following,
          undefined,
        );
        expect(sorted(state)).to.deep.equal(sorted(after));
      }),
    );
  });

  it('are none where nothing has changed, and one for one domain', () => {
    fc.assert(fc.property(someState, state => void expect(changesBetween(state, state)).to.deep.equal([])));
    const before = { ...EMPTY, domains: [shown('1'), shown('2')] };
    const after = { ...before, domains: [shown('1'), shown('2', ['route: missing'])] };
    expect(changesBetween(before, after)).to.deep.equal([
      { type: 'domain', uuid: '2', domain: shown('2', ['route: missing']) },
    ]);
  });

  it('mean nothing before the state', () => {
    expect(following(undefined, { type: 'pools', pools: [] })).to.equal(undefined);
  });
});

describe('the screen', () => {
  const counted = (uuid: string, bytes: bigint) => ({
    domain: `vm-${uuid}`,
    uuid,
    address: `123.45.90.${uuid}`,
    sinceStart: { in: { packets: 0n, bytes: 0n }, out: { packets: 0n, bytes: 0n } },
    total: { in: { packets: 1n, bytes }, out: { packets: 1n, bytes: 0n } },
  });
  const counters = (...addresses: ReturnType<typeof counted>[]): Line => ({
    type: 'counters',
    addresses,
    domains: [],
    dropped: {},
  });
  const SIZE = { rows: 40 };

  it('has rates between two counters, the busiest first', () => {
    const state: State = {
      ...EMPTY,
      domains: [shown('1'), shown('2', ['route: missing'])],
      pools: [{ ...POOL, free: 254n }],
      faults: [FAULT],
    };
    let screen = drawn(EMPTY_SCREEN, { type: 'state', ...state }, 0);
    screen = drawn(screen, counters(counted('1', 0n), counted('2', 0n)), 0);
    screen = drawn(screen, counters(counted('1', 1024n), counted('2', 4096n)), 2000);
    const text = screenText(screen, SIZE, false);
    expect(text[0]).to.equal(
      '2 of 2 domains run; 123.45.90.0/24 254 of 256 free; 1 faults, 0 findings (q ends this)',
    );
    expect(text[1]).to.equal('! forwarding: it is off');
    const [, first, second] = text.slice(text.indexOf('') + 1);
    expect(first).to.match(/^vm-2 +running +123\.45\.90\.2 +2 KiB +0 B +4 KiB +0 B +route: missing$/);
    expect(second).to.match(/^vm-1 +running +123\.45\.90\.1 +512 B +0 B +1 KiB +0 B +ok$/);
  });

  it('is no longer than the terminal, and says why there is nothing to see', () => {
    const domains = Array.from({ length: 50 }, (_, place) => shown(String(place)));
    const screen = drawn(EMPTY_SCREEN, { type: 'state', ...EMPTY, domains }, 0);
    expect(screenText(screen, { rows: 10 }, false)).to.have.length(9);
    const blind = drawn(EMPTY_SCREEN, { type: 'error', error: 'Cannot connect' }, 0);
    expect(screenText(blind, SIZE, false)).to.deep.equal(['Cannot connect']);
  });
});
