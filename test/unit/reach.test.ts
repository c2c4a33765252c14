import { expect } from 'chai';
import fc from 'fast-check';
import { readFrame, senderOf } from '../../src/doctor/frames.ts';
import { call, ping, pingAll, question } from '../../src/doctor/questions.ts';
import { explain } from '../../src/doctor/reach/explain.ts';
import type { AddressFacts, ReachFacts } from '../../src/doctor/reach/facts.ts';
import { hearingOf } from '../../src/doctor/reach/hearing.ts';
import { due } from '../../src/doctor/reach/probes.ts';
import type { Asked, Plan, Sighting } from '../../src/doctor/reach/wires.ts';
import { format, parseAddress } from '../../src/model/address.ts';
import { address4, address6 } from '../support/arbitrary.ts';

const [OWN_MAC, MAC] = ['52:54:00:00:00:01', '52:54:00:00:00:02'];
const id = fc.integer({ min: 0, max: 0xffff });

describe('frames', () => {
  it('are read as they were written, in both families', () => {
    const pairs = fc.oneof(fc.tuple(address4, address4), fc.tuple(address6, address6));
    fc.assert(
      fc.property(pairs, id, ([source, target], number) => {
        const sender = { fromMac: OWN_MAC, source };
        const asked = question(sender, target);
        expect(senderOf(asked)).to.equal(OWN_MAC);
        expect(readFrame(asked)).to.deep.equal({
          is: 'question',
          sender: format(source),
          target: format(target),
        });
        const echo = { source: format(source), destination: format(target), id: number };
        expect(readFrame(ping(sender, MAC, target, number))).to.deep.equal({ is: 'ping', ...echo });
      }),
    );
    const everybody = pingAll({ fromMac: OWN_MAC, source: parseAddress('fe80::1') }, 7);
    expect([...everybody.subarray(0, 6)]).to.deep.equal([0x33, 0x33, 0, 0, 0, 1]);
    expect(readFrame(everybody)).to.include({ is: 'ping', destination: 'ff02::1' });
  });

  it('tell whether a port was taken, or nobody listens on it', () => {
    const [source, target] = [parseAddress('172.30.5.1'), parseAddress('172.30.5.10')];
    const asked = call({ fromMac: OWN_MAC, source }, MAC, target, 2222);
    const answer = (flags: number) => {
      const frame = Uint8Array.from(asked);
      frame.set(asked.subarray(34, 36), 36);
      frame.set(asked.subarray(36, 38), 34);
      frame.set(asked.subarray(26, 30), 30);
      frame.set(asked.subarray(30, 34), 26);
      frame[47] = flags;
      return readFrame(frame);
    };
    const from = { source: '172.30.5.10', port: 2222 };
    expect(answer(0x12)).to.deep.equal({ is: 'accepted', ...from });
    expect(answer(0x14)).to.deep.equal({ is: 'refused', ...from });
    expect(answer(0x10)).to.equal(undefined);
    expect(readFrame(asked)).to.equal(undefined);
  });

  it('of anybody, cut anywhere, are read or passed over', () => {
    const types = fc.constantFrom([8, 6], [8, 0], [0x86, 0xdd]);
    fc.assert(
      fc.property(types, fc.uint8Array({ maxLength: 400 }), (type, rest) => {
        readFrame(Uint8Array.from([...new Array(12).fill(0), ...type, ...rest]));
        readFrame(rest);
      }),
      { numRuns: 2000 },
    );
  });

  it('of DHCP say who speaks, and which address is asked for or handed out', () => {
    const message = (port: number, at: number, options: readonly number[] = []) => {
      const body = new Array(240).fill(0);
      body.splice(at, 4, 172, 30, 116, 57);
      const udp = [0, 0, 0, port, 0, 0, 0, 0, ...body, ...options, 255];
      return Uint8Array.from([
        ...new Array(12).fill(0),
        8,
        0,
        0x45,
        ...new Array(8).fill(0),
        17,
        ...new Array(10).fill(0),
        ...udp,
      ]);
    };
    const found = { is: 'dhcp', address: '172.30.116.57' };
    expect(readFrame(message(67, 12))).to.deep.equal({ ...found, by: 'client' });
    expect(readFrame(message(68, 16))).to.deep.equal({ ...found, by: 'server' });
    const asking = message(67, 100, [0, 53, 1, 3, 50, 4, 172, 30, 116, 57]);
    expect(readFrame(asking)).to.deep.equal({ ...found, by: 'client' });
    expect(readFrame(message(67, 100, [53, 250]))).to.include({ address: undefined });
  });
});

const MINE = parseAddress('123.45.90.116');
const UPLINK = { device: 'eth0', mac: OWN_MAC };
const BRIDGE = { device: 'br116', mac: OWN_MAC };
const ASKED: Asked = {
  prefix: MINE,
  bridge: 'br116',
  uplinks: ['eth0'],
  sample: MINE,
  via: undefined,
  isPrivate: false,
  called: [],
};
const PLAN: Plan = {
  id: 7,
  uplinks: [
    {
      ...UPLINK,
      own: [parseAddress('123.45.12.48')],
      gateways: [parseAddress('123.45.12.1')],
      far: [parseAddress('123.45.12.1')],
    },
  ],
  bridges: [{ ...BRIDGE, own: [parseAddress('172.30.116.1')], sought: [MINE] }],
  prefixes: [ASKED],
};
const sighting = (device: string, out: boolean, message: Sighting['message'], at = 0): Sighting => ({
  device,
  out,
  mac: MAC,
  at,
  message,
});
const here = (sender: string) => ({ is: 'answer', sender }) as const;

describe('what is asked', () => {
  const asked = (seen: readonly Sighting[]) =>
    due(PLAN, seen).map(({ device, bytes }) => ({ device, ...readFrame(bytes) }));

  it('is first who is there, then whether they answer, and nothing twice', () => {
    expect(asked([])).to.deep.equal([
      { device: 'eth0', is: 'question', sender: '123.45.12.48', target: '123.45.12.1' },
      { device: 'br116', is: 'question', sender: '172.30.116.1', target: '123.45.90.116' },
    ]);
    const known = [
      sighting('eth0', false, here('123.45.12.1')),
      sighting('br116', false, here('123.45.90.116')),
    ];
    const echo = { is: 'ping', id: 7 };
    expect(asked(known)).to.deep.equal([
      { device: 'eth0', ...echo, source: '123.45.12.48', destination: '123.45.12.1' },
      { device: 'eth0', ...echo, source: '123.45.90.116', destination: '123.45.12.1' },
      { device: 'br116', ...echo, source: '123.45.12.1', destination: '123.45.90.116' },
    ]);
    const pong = (source: string, destination: string) =>
      ({ is: 'pong', id: 7, source, destination }) as const;
    const replies = [
      sighting('eth0', false, pong('123.45.12.1', '123.45.12.48')),
      sighting('eth0', false, pong('123.45.12.1', '123.45.90.116')),
      sighting('br116', false, pong('123.45.90.116', '123.45.12.1')),
    ];
    expect(asked([...known, ...replies])).to.deep.equal([]);
  });

  it('is nothing by a tunnel, and the guest all the same', () => {
    const [uplink] = PLAN.uplinks;
    if (uplink === undefined) throw new Error('no uplink');
    const tunnel = { ...uplink, device: 'eth0', mac: undefined, gateways: [], far: [] };
    const known = [sighting('br116', false, here('123.45.90.116'))];
    const frames = due({ ...PLAN, uplinks: [tunnel] }, known);
    expect(frames.map(({ device, bytes }) => ({ device, ...readFrame(bytes) }))).to.deep.equal([
      { device: 'br116', is: 'ping', id: 7, source: '123.45.12.48', destination: '123.45.90.116' },
    ]);
  });
});

describe('what was heard', () => {
  const heard = (...seen: Sighting[]) => hearingOf(ASKED, PLAN, { seen, until: 3000, deaf: new Map() });
  const question6 = (target: string, at: number) =>
    sighting('eth0', false, { is: 'question', sender: '123.45.12.1', target }, at);

  it('says nothing where nothing could tell', () => {
    expect(heard()).to.deep.equal({
      arrives: 'unknown',
      soughtInVain: false,
      passes: 'unknown',
      answers: null,
      replies: 'unknown',
      leaves: 'unknown',
      calls: [],
    });
  });

  it('tells no loss by an uplink that can not be heard', () => {
    const seen = [
      sighting('br116', false, here('123.45.90.116')),
      sighting('br116', false, {
        is: 'pong',
        id: 7,
        source: '123.45.90.116',
        destination: '123.45.12.1',
      }),
    ];
    expect(heard(...seen)).to.include({ replies: 'yes', leaves: 'no' });
    const deaf = new Map([['eth0', 'it is no Ethernet interface']]);
    expect(hearingOf(ASKED, PLAN, { seen, until: 3000, deaf })).to.include({
      arrives: 'unknown',
      replies: 'yes',
      leaves: 'unknown',
    });
  });

  it('tells no silence of a guest that nobody could ping', () => {
    const [uplink] = PLAN.uplinks;
    if (uplink === undefined) throw new Error('no uplink');
    const plan = { ...PLAN, uplinks: [{ ...uplink, own: [], gateways: [], far: [] }] };
    const seen = [sighting('br116', false, here('123.45.90.116'))];
    expect(due(plan, seen)).to.deep.equal([]);
    expect(hearingOf(ASKED, plan, { seen, until: 3000, deaf: new Map() })).to.include({
      answers: '123.45.90.116',
      replies: 'unknown',
    });
  });

  it('is of the uplinks of an address alone, and by whichever of them', () => {
    const [uplink] = PLAN.uplinks;
    if (uplink === undefined) throw new Error('no uplink');
    const twin = { ...uplink, device: 'eth1' };
    const plan = { ...PLAN, uplinks: [uplink, twin] };
    const pong = (device: string, destination: string) =>
      sighting(device, false, { is: 'pong', id: 7, source: '123.45.12.1', destination });
    const seen = [pong('eth0', '123.45.12.48'), pong('eth1', '123.45.90.116')];
    const rest = { seen, until: 3000, deaf: new Map() };
    expect(hearingOf(ASKED, plan, rest).arrives).to.equal('no');
    const both = { ...ASKED, uplinks: ['eth0', 'eth1'] };
    expect(hearingOf(both, { ...plan, prefixes: [both] }, rest).arrives).to.equal('yes');
  });

  it('takes a question for one in vain when nobody answered, and there was time', () => {
    expect(heard(question6('123.45.90.116', 100)).soughtInVain).to.equal(true);
    expect(heard(question6('123.45.90.116', 2900)).soughtInVain).to.equal(false);
    expect(heard(question6('123.45.90.117', 100)).soughtInVain).to.equal(false);
    const answered = [question6('123.45.90.116', 100), sighting('eth0', true, here('123.45.90.116'), 800)];
    expect(heard(...answered).soughtInVain).to.equal(false);
  });
});

describe('what is private, or routed on', () => {
  const pong = (device: string, source: string, destination: string) =>
    sighting(device, false, { is: 'pong', id: 7, source, destination });
  const control = pong('eth0', '123.45.12.1', '123.45.12.48');

  it('is asked of nobody outside who can not answer', () => {
    const inner = { ...ASKED, isPrivate: true };
    const seen = [sighting('eth0', false, here('123.45.12.1'))];
    const asked = due({ ...PLAN, bridges: [], prefixes: [inner] }, seen).map(({ bytes }) => readFrame(bytes));
    expect(asked).to.deep.equal([{ is: 'ping', id: 7, source: '123.45.12.48', destination: '123.45.12.1' }]);
    const replied = pong('br116', '123.45.90.116', '123.45.12.1');
    const rest = { seen: [control, replied], until: 3000, deaf: new Map() };
    const unheard = { arrives: 'unknown', replies: 'yes', leaves: 'unknown' };
    expect(hearingOf(inner, PLAN, rest)).to.include(unheard);
    expect(hearingOf(ASKED, PLAN, rest)).to.include({ arrives: 'no', leaves: 'no' });
  });

  it('answers where the domain routes it on, and has to pass only then', () => {
    const via = parseAddress('123.45.90.117');
    const behind = { ...ASKED, via };
    const plan = { ...PLAN, prefixes: [behind] };
    const arrived = pong('eth0', '123.45.12.1', '123.45.90.116');
    const heard = (...seen: Sighting[]) => hearingOf(behind, plan, { seen, until: 3000, deaf: new Map() });
    expect(heard(arrived)).to.include({ arrives: 'yes', passes: 'unknown', answers: null });
    const routed = heard(arrived, sighting('br116', false, here('123.45.90.117')));
    expect(routed).to.include({ passes: 'no', answers: '123.45.90.117', replies: 'unknown' });
  });
});

describe('an explanation', () => {
  const address: AddressFacts = {
    address: '123.45.90.116',
    family: 4,
    bridge: 'br116',
    via: null,
    forwards: [],
    uplinks: [],
    gateways: ['123.45.12.48'],
    holder: null,
    kernel: [],
    heard: null,
    counted: null,
  };
  const facts: ReachFacts = {
    domain: 'vm1',
    uuid: 'e47a3cb2-3cf1-3db7-64d2-f9d88cca439f',
    word: "'vm1'",
    state: 'running',
    assignment: 'assigned',
    why: null,
    record: null,
    addresses: [address],
    bridges: [],
    nics: [],
    drift: [],
    rules: { inbound: 'allow', isolate: false, rules: [], dropped: 0, shared: {} },
    blockades: [],
    uplinks: [],
    blind: [],
  };
  const first = (change: Partial<ReachFacts>) => explain({ ...facts, ...change })[0];

  it('is not needed where nothing is wrong', () => {
    expect(explain(facts)).to.deep.equal([]);
  });

  for (const [what, change, cause, mend] of [
    ['a domain that is off', { state: 'shut off' }, 'not running', "virsh start 'vm1'"],
    ['a domain that is paused', { state: 'paused' }, 'not running', "virsh resume 'vm1'"],
    ['a domain with no address', { assignment: 'none', addresses: [] }, 'unassigned', "hnet assign 'vm1'"],
    ['a clone', { assignment: 'a clone' }, 'clone', "hnet unassign 'vm1' && hnet assign 'vm1'"],
    [
      'unreadable metadata',
      { assignment: 'unreadable', why: 'oh' },
      'metadata',
      "hnet unassign 'vm1' && hnet assign 'vm1'",
    ],
    ['a record that lags behind', { record: 'old' }, 'record', 'hnet sync'],
  ] as const)
    it(`is found for ${what}`, () => {
      expect(first(change)).to.include({ cause, mend });
    });

  it('puts the address of another before a domain that is off: its start would be refused', () => {
    const addresses = [{ ...address, holder: 'vm2' }];
    expect(first({ state: 'shut off', addresses })).to.include({ cause: 'taken', address: '123.45.90.116' });
  });
});
