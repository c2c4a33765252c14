import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { exchange, Listener } from '../support/endpoint.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Filtered, inScope } from '../support/filtered.ts';
import { ipv4, type Segment, segmentOf, TCP, tcp, udp } from '../support/packets.ts';
import type { Wire } from '../support/wire.ts';

const [MINE, NEIGHBOUR] = ['123.45.90.116', '123.45.90.117'];
const FORGED = 'forged packet';
const forge = (source: string, destination: string, word = FORGED): Buffer =>
  ipv4(source, destination, 'udp', udp(4000, 4000, word));

filterSuite('from outside', ({ host }) => {
  let one: Filtered;
  let provider: Wire;
  let wire: Wire;

  before(async () => {
    one = await host();
    const guest = await one.start('vm1', MINE);
    wire = await one.guestWire(guest, MINE);
    provider = await one.providerWire();
  });

  async function nothingArrived(): Promise<void> {
    const follower = `honest packet ${Math.random()}`;
    provider.send(forge(INTERNET, MINE, follower));
    await wire.until(follower);
    expect(wire.count(FORGED)).to.equal(0);
  }

  for (const [what, source] of [
    ['the very address of the domain', MINE],
    ['an unassigned address of a pool', '123.45.90.113'],
    ['a pool of one address', '123.45.53.12'],
    ["an address of the domain's scope", inScope(MINE, 50)],
    ['an address of the range that scopes come from', '172.30.7.7'],
  ] as const) {
    it(`nobody has ${what}`, async () => {
      const count = await one.dropped('borrowed', () => {
        for (const target of [MINE, one.host.address, inScope(MINE, 1)]) provider.send(forge(source, target));
      });
      expect(count).to.equal(3);
      await nothingArrived();
    });
  }

  it('nobody reaches a bootstrap address', async () => {
    const count = await one.dropped('scope', () => {
      for (const last of [1, 50]) provider.send(forge(INTERNET, inScope(MINE, last)));
    });
    expect(count).to.equal(2);
    await nothingArrived();
  });

  it('the host itself is reached as ever', async () => {
    expect(await one.lab.internet.ping(one.host.address)).to.equal(true);
  });
});

filterSuite("the uplink's own subnet", ({ host }) => {
  it('is excepted: others on the link have addresses there, though a pool of ours is cut from it', async () => {
    const one = await host({
      pools: ['123.45.90.112/29', '123.45.12.64/28'],
      given: 'ip address add 123.45.12.48/24 dev eth0',
    });
    const guest = await one.start('vm1', MINE);
    const [wire, provider] = [await one.guestWire(guest, MINE), await one.providerWire()];
    const count = await one.dropped('borrowed', () =>
      provider.send(forge('123.45.90.113', MINE), forge(inScope(MINE, 50), MINE), forge('172.30.0.1', MINE)),
    );
    expect(count).to.equal(3);
    provider.send(forge('123.45.12.70', MINE, 'from the pool on the link'));
    await wire.until('from the pool on the link');
    expect(wire.count(FORGED)).to.equal(0);
  });
});

filterSuite('an established TCP flow of a neighbour', ({ host }) => {
  let one: Filtered;
  let neighbour: Guest;
  let attacker: Wire;
  let internet: Wire;

  before(async () => {
    one = await host();
    attacker = await one.guestWire(await one.start('vm1', MINE), MINE);
    neighbour = await one.start('vm2', NEIGHBOUR);
    internet = await one.internetWire();
  });

  for (const policy of ['untracked', 'tracked'] as const) {
    it(`takes nothing from a domain that knows its every number (${policy})`, async () => {
      if (policy === 'tracked')
        await one.change('vm2', NEIGHBOUR, { default: 'deny', rules: ['allow tcp/8080'] });
      const listener = new Listener(neighbour, { ip: NEIGHBOUR, port: 8080 });
      const flow = await listener.connect(one.lab.internet);
      internet.forget();
      await exchange(flow);
      const next = lastSegment();
      const toServer = { ...next, flags: TCP.ack | TCP.push, data: 'injected;' };
      const toClient = swapped(toServer);
      const count = await one.dropped('spoofed', () => {
        attacker.send(tcp(toServer), tcp(toClient), tcp({ ...toServer, flags: TCP.rst }));
        attacker.send(tcp({ ...toClient, flags: TCP.rst }), tcp({ ...toServer, flags: TCP.syn }));
      });
      expect(count).to.equal(5);
      await exchange(flow);
      expect(flow.server.received() + flow.client.received()).not.to.contain('injected');
      // The same from where it isn't forged: so the numbers were right.
      internet.send(tcp({ ...lastSegment(), flags: TCP.ack | TCP.push, data: 'not forged;' }));
      await flow.server.until('not forged;');
      for (const end of [flow.client, flow.server, listener]) end.close();
    });
  }

  /** Where the client stands, from the latest segment it sent. */
  function lastSegment(): Segment {
    const segments = internet.frames().map(segmentOf);
    const last = segments.findLast(segment => segment?.source === INTERNET);
    if (last === undefined) throw new Error('no segment was seen');
    return last;
  }

  function swapped(segment: Segment): Segment {
    const { source, destination, from, to, sequence, acknowledgement = 0 } = segment;
    return {
      ...segment,
      source: destination,
      destination: source,
      from: to,
      to: from,
      sequence: acknowledgement,
      acknowledgement: sequence,
    };
  }
});
