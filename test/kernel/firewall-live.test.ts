import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { exchange, type Flow, Listener, udpFlow } from '../support/endpoint.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered } from '../support/filtered.ts';
import { outside, passes } from '../support/probe.ts';

const [MINE, NEIGHBOUR] = ['123.45.90.116', '123.45.90.117'];
const DENIALS = ['deny tcp/8080', 'deny udp/5000'];

filterSuite('a new deny', ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let other: Guest;
  let ports = 6000;
  const open: { close(): void }[] = [];

  before(async () => {
    one = await host();
    guest = await one.start('vm1', MINE);
    other = await one.start('vm2', NEIGHBOUR);
  });

  afterEach(async () => {
    for (const each of open.splice(0)) each.close();
    await one.change('vm1', MINE, {});
  });

  async function tcp(server: Guest, ip: string, port: number): Promise<Flow> {
    const listener = new Listener(server, { ip, port });
    const flow = await listener.connect(one.lab.internet);
    open.push(listener, flow.client, flow.server);
    return flow;
  }

  function udp(server: Guest, ip: string, port: number): Flow {
    const flow = udpFlow(one.lab.internet, { ip: INTERNET, port: ++ports }, server, { ip, port });
    open.push(flow.client, flow.server);
    return flow;
  }

  /** A connection that the domain itself has made. */
  async function outgoing(): Promise<Flow> {
    const listener = new Listener(one.lab.internet, { ip: INTERNET, port: ++ports });
    const flow = await listener.connect(guest);
    open.push(listener, flow.client, flow.server);
    return flow;
  }

  for (const [what, before] of [
    ["is the domain's first rule", []],
    ['joins other rules', ['allow tcp/9090', 'allow udp/5001']],
  ] as const) {
    describe(`that ${what}`, () => {
      beforeEach(() => one.change('vm1', MINE, { rules: before }));
      const deny = () => one.change('vm1', MINE, { rules: [...before, ...DENIALS] });

      it('cuts an open TCP flow at once', async () => {
        const flow = await tcp(guest, MINE, 8080);
        await exchange(flow);
        await deny();
        await one.dropped('policy', () => flow.client.send('cut off;'));
        expect(flow.server.received()).not.to.contain('cut off;');
      });

      it('cuts an open UDP flow at once', async () => {
        const flow = udp(guest, MINE, 5000);
        await exchange(flow);
        await deny();
        await one.dropped('policy', () => flow.client.send('cut off;'));
        expect(flow.server.received()).not.to.contain('cut off;');
      });

      it("leaves the domain's other flows alone: from outside, and the domain's own", async () => {
        const flows = [await tcp(guest, MINE, 9090), udp(guest, MINE, 5001), await outgoing()];
        for (const flow of flows) await exchange(flow);
        await deny();
        for (const flow of flows) await exchange(flow);
      });

      it('leaves other domains alone', async () => {
        const flows = [await tcp(other, NEIGHBOUR, 8080), udp(other, NEIGHBOUR, 5000)];
        for (const flow of flows) await exchange(flow);
        await deny();
        for (const flow of flows) await exchange(flow);
      });

      it('is in the way of no connection that the domain makes from now on', async () => {
        await deny();
        await exchange(await outgoing());
      });
    });
  }

  it("is not got round by the server's speaking first, in a flow that nobody has tracked", async () => {
    const flows = [await tcp(guest, MINE, 8080), udp(guest, MINE, 5000)];
    for (const flow of flows) await exchange(flow);
    await one.change('vm1', MINE, { rules: DENIALS });
    for (const flow of flows) {
      await one.dropped('midstream', () => flow.server.send('the server speaks;'));
      await one.dropped('policy', () => flow.client.send('cut off;'));
      expect(flow.server.received()).not.to.contain('cut off;');
      expect(flow.client.received()).not.to.contain('the server speaks;');
    }
  });

  for (const [what, before] of [
    ['that nobody has tracked', []],
    ['that is tracked', ['allow tcp/1']],
  ] as const) {
    it(`of outbound packets cuts what the domain has opened, a flow ${what}`, async () => {
      await one.change('vm1', MINE, { rules: before });
      const [first, second] = [await outgoing(), await outgoing()];
      for (const flow of [first, second]) await exchange(flow);
      await one.change('vm1', MINE, { rules: [...before, `outbound deny tcp/${ports - 1}-${ports}`] });
      await one.dropped('policy', () => first.client.send('cut off;'));
      // Where the far end speaks first, its packet must not pass for the opening of a flow towards the domain.
      if (before.length === 0) await one.dropped('midstream', () => second.server.send('the server speaks;'));
      await one.dropped('policy', () => second.client.send('cut off;'));
      expect(first.server.received() + second.server.received()).not.to.contain('cut off;');
    });
  }

  it("as a domain's first word cuts what might have come from outside", async () => {
    const flow = await tcp(guest, MINE, 8080);
    await exchange(flow);
    await one.change('vm1', MINE, { default: 'deny' });
    await one.dropped('midstream', () => flow.server.send('the server speaks;'));
    await one.dropped('policy', () => flow.client.send('cut off;'));
    await exchange(await outgoing());
  });

  it('of everything is undone as quickly: the same flow goes on', async () => {
    const flow = udp(guest, MINE, 5000);
    await exchange(flow);
    await one.change('vm1', MINE, { default: 'deny' });
    await one.dropped('policy', () => flow.client.send('cut off;'));
    await one.change('vm1', MINE, {});
    await exchange(flow);
    const mine = { wire: await one.guestWire(guest, MINE), ip: MINE };
    expect(await passes(outside(await one.internetWire()), mine, 'tcp', 1)).to.equal(true);
  });
});
