import { expect } from 'chai';
import { candidatesIn } from '../../../cockpit/src/model/candidates.ts';
import { graphOf } from '../../../cockpit/src/model/graph.ts';
import { NODE_HEIGHT } from '../../../cockpit/src/model/layout.ts';
import { readLine } from '../../../cockpit/src/model/lines.ts';
import { chosen, FIRST_CHOICE, PAGE_ROWS, rowsOf } from '../../../cockpit/src/model/overview.ts';
import { canRepair, problemsOf, problemsOfDomain } from '../../../cockpit/src/model/problems.ts';
import { ruleRows } from '../../../cockpit/src/model/rules.ts';
import { after, type HostState, NOTHING, type Seen } from '../../../cockpit/src/model/seen.ts';
import { sinceOf } from '../../../cockpit/src/model/since.ts';
import { type Picture, pictureOf } from '../../../cockpit/src/model/topology.ts';
import { lineOf, sampleAway, sampleCounters, sampleDomain, sampleState } from './samples.ts';

const WEB = sampleDomain({
  number: 1,
  name: 'web',
  addresses: ['123.45.90.116', '2001:db8::116'],
  rules: ['allow tcp/80'],
});
const DB = sampleDomain({ number: 2, name: 'db', addresses: ['123.45.90.114'], faults: ['route: missing'] });
const OLD = sampleDomain({ number: 10, name: 'web10', addresses: ['123.45.90.115'], state: 'stopped' });
const FRESH = {
  domain: 'fresh',
  uuid: '00000000-0000-4000-8000-000000000099',
  state: 'running',
  interfaces: [],
};
const COUNTED = {
  domain: 'web',
  uuid: WEB.uuid,
  rules: [
    { number: 1, rule: 'allow tcp/80', packets: 7, bytes: 420 },
    { number: null, rule: 'default allow', packets: 3, bytes: 180 },
  ],
  dropped: { 'a rule': { packets: 5, bytes: 300 } },
};

function seenOf(...lines: readonly object[]): Seen & { readonly state: HostState } {
  const seen = lines.reduce<Seen>((before, line, at) => {
    const read = readLine(lineOf(line, at * 5));
    return read === undefined ? before : after(before, read);
  }, NOTHING);
  if (seen.state === undefined) throw new Error('no line has the state');
  return { ...seen, state: seen.state };
}

const ALL = [WEB, DB, OLD];
const SEEN = seenOf(
  sampleState(ALL, { others: [FRESH] }),
  sampleCounters(ALL, 0),
  sampleCounters([WEB], 5000, [COUNTED]),
);

describe('the table of VMs', () => {
  const rows = rowsOf(SEEN);
  const names = (choice: object): string[] =>
    chosen(rows, { ...FIRST_CHOICE, ...choice }).rows.map(({ name }) => name);

  it('has each VM once, with its health, the sum of its rates, and what its rules dropped', () => {
    expect(rows.map(({ name, health, rate, dropped }) => [name, health, rate.in, dropped])).to.deep.equal([
      ['web', 'ok', 2000, 5],
      ['db', 'faulty', 0, undefined],
      ['web10', 'stopped', 0, undefined],
      ['fresh', 'none', 0, undefined],
    ]);
  });

  for (const [what, choice, expected] of [
    ['all, by name as people count', {}, ['db', 'fresh', 'web', 'web10']],
    ['those whose name or address has a text', { text: '115' }, ['web10']],
    ['those that have each of two words', { text: 'WEB br10' }, ['web10']],
    ['those that run', { kind: 'running' }, ['db', 'fresh', 'web']],
    ['the faulty ones', { kind: 'faulty' }, ['db']],
    ['those without an address', { kind: 'none' }, ['fresh']],
    ['by address, as numbers', { column: 'address' }, ['db', 'web10', 'web', 'fresh']],
    ['by health, the faulty first', { column: 'health' }, ['db', 'web', 'web10', 'fresh']],
    ['the busiest first', { column: 'in', isDescending: true }, ['web', 'web10', 'fresh', 'db']],
  ] as const)
    it(`shows ${what}`, () => expect(names(choice)).to.deep.equal(expected));

  it('is a page of a thousand VMs, and the last page where a later one is asked for', () => {
    const many = Array.from({ length: 1001 }, (_, at) =>
      sampleDomain({ number: at, name: `vm${at}`, addresses: [`10.0.${at >> 8}.${at & 255}`] }),
    );
    const all = rowsOf(seenOf(sampleState(many)));
    expect(chosen(all, FIRST_CHOICE).rows).to.have.length(PAGE_ROWS);
    const last = chosen(all, { ...FIRST_CHOICE, page: 99 });
    expect([last.page, last.count, last.rows.map(({ name }) => name)]).to.deep.equal([21, 1001, ['vm1000']]);
  });
});

describe('the table of VMs in a cluster', () => {
  const coming = sampleDomain({ number: 6, name: 'api', addresses: ['123.45.90.113'], state: 'incoming' });
  const state = sampleState([{ ...WEB, state: 'leaving' }, OLD, coming], {
    others: [FRESH],
    elsewhere: [
      sampleAway({ number: 5, name: 'shop', host: 'h2', addresses: ['123.45.90.117'] }),
      sampleAway({ number: 6, name: 'api', host: 'h3', to: 'h1', addresses: ['123.45.90.113'] }),
      sampleAway({ number: 10, name: 'web10', host: 'h2', to: 'h3', addresses: ['123.45.90.115'] }),
    ],
  });
  const cluster = { name: 'fra', host: 'h1', wire: 'eth1', peers: [] };
  const rows = rowsOf(seenOf({ ...state, host: { ...state.host, cluster } }));

  it('has each VM once, where it runs, with the host that it goes to', () => {
    expect(rows.map(({ name, health, host }) => [name, health, host?.name, host?.to])).to.deep.equal([
      ['web', 'moving', 'h1', null],
      ['api', 'moving', 'h3', 'h1'],
      ['fresh', 'none', 'h1', null],
      ['shop', 'elsewhere', 'h2', null],
      ['web10', 'elsewhere', 'h2', 'h3'],
    ]);
  });

  it('takes what leaves for running, and finds VMs by their host', () => {
    const names = (choice: object) =>
      chosen(rows, { ...FIRST_CHOICE, ...choice }).rows.map(({ name }) => name);
    expect(names({ kind: 'running' })).to.deep.equal(['fresh', 'shop', 'web', 'web10']);
    expect(names({ kind: 'elsewhere' })).to.deep.equal(['shop', 'web10']);
    expect(names({ text: 'h3' })).to.deep.equal(['api', 'web10']);
  });
});

describe('the banner', () => {
  const fault = (uuid: string | null, mend: string | null) => ({
    domain: uuid && 'web',
    uuid,
    what: 'route',
    is: 'missing',
    why: 'it is missing',
    mend,
  });
  const finding = { what: 'a', why: 'b', mend: 'hnet sync' };

  it('has what is wrong before what may cause trouble, and a button where hnet can repair it', () => {
    const problems = problemsOf({ faults: [fault(WEB.uuid, 'hnet sync')], findings: [finding] });
    expect(problems.map(one => [one.isFault, one.what, one.why, one.mend])).to.deep.equal([
      [true, 'route: missing', '', 'hnet sync'],
      [false, 'a', 'b', 'hnet sync'],
    ]);
    expect(canRepair(problems)).to.equal(true);
    expect(canRepair(problemsOf({ faults: [fault(null, null)], findings: [finding] }))).to.equal(false);
  });

  it('of a VM has its own, and those of the host', () => {
    const problems = problemsOf({
      faults: [fault(WEB.uuid, null), fault(DB.uuid, null), fault(null, null)],
      findings: [finding],
    });
    expect(problemsOfDomain(problems, WEB.uuid).map(({ uuid }) => uuid)).to.deep.equal([WEB.uuid, undefined]);
  });
});

describe('what is shown of a VM', () => {
  it('is its rules with what each matched, and no counter of another rule', () => {
    const counted = SEEN.counters?.domains.get(WEB.uuid);
    expect(ruleRows(WEB, counted).map(one => [one.number, one.counted?.packets])).to.deep.equal([
      [1, 7],
      [null, 3],
    ]);
    const changed = { rules: ['deny icmp', 'allow tcp/80'], default: 'deny' };
    expect(ruleRows(changed, counted).map(one => one.counted)).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is a graph from the left edge to the right, as high as the largest value needs', () => {
    const graph = graphOf(
      [0, 1000, 2000].map((value, at) => ({
        at: at * 5000,
        rates: new Map([[`${WEB.uuid} 123.45.90.116`, { in: value, out: 0 }]]),
      })),
      WEB.uuid,
      ['123.45.90.116'],
      { width: 100, height: 50 },
    );
    expect(graph).to.deep.equal({
      in: 'M0.0 50.0L50.0 25.6L100.0 1.2',
      out: 'M0.0 50.0L50.0 50.0L100.0 50.0',
      top: 2048,
      seconds: 10,
      latest: { in: 2000, out: 0 },
    });
    expect(graphOf([], WEB.uuid, [], { width: 1, height: 1 }).in).to.equal('');
  });

  it('is since when it has an address, by the last time that it got it', () => {
    const entry = (at: string, is: string, uuid: string) => ({
      at,
      is,
      uuid,
      address: 'x',
      domain: 'y',
      from: null,
    });
    const entries = [
      entry('1', 'assign', WEB.uuid),
      entry('2', 'move', DB.uuid),
      entry('3', 'move', WEB.uuid),
      entry('4', 'start', WEB.uuid),
    ];
    expect(sinceOf(entries, WEB.uuid)).to.equal('3');
    expect(sinceOf(entries.slice(3), WEB.uuid)).to.equal(undefined);
  });
});

describe('the VMs that an address may be given to', () => {
  it('are all, those without one first', () => {
    expect(candidatesIn(SEEN.state).map(({ domain, held }) => [domain, held])).to.deep.equal([
      ['fresh', ''],
      ['db', '123.45.90.114'],
      ['web', '123.45.90.116, 2001:db8::116'],
      ['web10', '123.45.90.115'],
    ]);
  });
});

/** Every thing is inside of the picture, and no two lie on each other. */
function expectApart({ nodes, width, height }: Picture): void {
  for (const one of nodes) {
    expect(one.x + one.width).to.be.at.most(width);
    expect(one.y).to.be.within(NODE_HEIGHT / 2, height - NODE_HEIGHT / 2);
    const near = nodes.filter(({ x, y }) => x === one.x && Math.abs(y - one.y) < NODE_HEIGHT);
    expect(near, one.id).to.deep.equal([one]);
  }
}

describe('the picture of a host', () => {
  const picture = pictureOf(SEEN.state, SEEN);

  it('leads from the Internet over the uplink, the host and a bridge to each VM, what is wrong first', () => {
    expect(picture.links.map(({ id }) => id)).to.deep.equal([
      'internet > uplink eth0',
      'uplink eth0 > host',
      ...ALL.map(({ uuid }, at) => [`br${[1, 2, 10][at]}`, uuid])
        .toSorted(
          ([a = ''], [b = '']) => ['br2', 'br1', 'br10'].indexOf(a) - ['br2', 'br1', 'br10'].indexOf(b),
        )
        .flatMap(([bridge, uuid]) => [
          `host > bridge ${bridge} ${uuid}`,
          `bridge ${bridge} ${uuid} > vm ${uuid} ${bridge}`,
        ]),
    ]);
    const vms = picture.nodes.filter(({ kind }) => kind === 'vm');
    expect(vms.map(({ title, health }) => [title, health])).to.deep.equal([
      ['db', 'faulty'],
      ['web', 'ok'],
      ['web10', 'stopped'],
    ]);
    expect(vms[1]?.lines).to.deep.equal(['123.45.90.116', '2001:db8::116']);
    expect(vms[1]?.rate).to.deep.equal({ in: 2000, out: 1000 });
  });

  it('shows the other hosts of a cluster below the Internet, and the wire to them, whether they are up or not', () => {
    const peer = (host: string, isUp: boolean) => ({ host, addresses: ['10.9.0.2'], isUp, seen: '' });
    const cluster = { name: 'fra', host: 'h1', wire: 'eth1', peers: [peer('h2', true), peer('h3', false)] };
    const elsewhere = [sampleAway({ number: 5, name: 'shop', host: 'h2', addresses: ['123.45.90.117'] })];
    const state = sampleState([WEB], { elsewhere });
    const seen = seenOf({ ...state, host: { ...state.host, cluster } });
    const drawn = pictureOf(seen.state, seen);
    const { nodes, links } = drawn;
    const of = (wanted: string) => nodes.filter(({ kind }) => kind === wanted);
    expect(of('peer').map(({ title, health, vms }) => [title, health, vms])).to.deep.equal([
      ['h2', 'ok', 1],
      ['h3', 'stopped', 0],
    ]);
    expect(of('wire').map(({ title, lines }) => [title, lines])).to.deep.equal([['eth1', ['fra']]]);
    expect(links.map(({ id }) => id)).to.include.members([
      'peer h2 > wire eth1',
      'peer h3 > wire eth1',
      'wire eth1 > host',
    ]);
    expectApart(drawn);
    expectApart(pictureOf(seen.state, seen, true));
  });

  it('shows a VM on its way between hosts as that', () => {
    for (const state of ['incoming', 'leaving'] as const) {
      const vm = sampleDomain({ number: 1, name: 'web', addresses: ['123.45.90.116'], state });
      const seen = seenOf(sampleState([vm]));
      expect(pictureOf(seen.state, seen).nodes.find(({ kind }) => kind === 'vm')?.health).to.equal('moving');
    }
  });

  it('has every thing inside of it, and no two in one place', () => {
    expectApart(picture);
    const narrow = pictureOf(SEEN.state, SEEN, true);
    expectApart(narrow);
    expect(narrow.width).to.be.lessThan(360);
  });

  it('tells more VMs than anybody could tell apart by their number', () => {
    const many = Array.from({ length: 1000 }, (_, at) =>
      sampleDomain({ number: at, name: `vm${at}`, addresses: [`10.0.${at >> 8}.${at & 255}`] }),
    );
    const seen = seenOf(sampleState(many));
    const { nodes } = pictureOf(seen.state, seen);
    expect(nodes.filter(({ kind }) => kind === 'vm')).to.have.length(40);
    expect(nodes.find(({ kind }) => kind === 'more')?.title).to.equal('960');
  });
});
