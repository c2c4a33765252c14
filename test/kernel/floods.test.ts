import { expect } from 'chai';
import type { Machine } from '../lab/machine.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { kernelSuite } from '../support/suite.ts';

/** Made-up senders; without protection each would take a place in a table that all domains share. */
const FLOOD = 600;

kernelSuite('floods', scene => {
  it('leave the neighbour table as it was: ARP requests from made-up senders', async () => {
    const one = await scene();
    const guest = await one.start('vm1', '123.45.90.116');
    const table = () => one.host.run(['ip', 'neighbour', 'show', 'nud', 'all', 'dev', 'br116']);
    const before = (await table()).split('\n').length;
    await guest.run(['ip', 'route', 'add', 'local', '10.9.0.0/16', 'dev', 'lo']);
    await arrive(one.host, () =>
      guest.sh(`i=0; while [ $i -lt ${FLOOD} ]; do
        busybox arping -q -c1 -w1 -I eth0 -s 10.9.$((i / 250)).$((i % 250 + 1)) ${one.host.address} >/dev/null &
        i=$((i + 1)); done; wait`),
    );
    expect((await table()).split('\n').length).to.be.at.most(before);
    expect(await one.lab.internet.ping('123.45.90.116')).to.equal(true);
  });

  it("leave the bridge's forwarding table as it was: made-up source MACs", async () => {
    const one = await scene();
    const guest = await one.start('vm1', '123.45.90.116');
    const table = () => one.host.run(['bridge', 'fdb', 'show', 'br', 'br116']);
    const before = await table();
    // With arp_notify the kernel announces each new MAC of the interface.
    await guest.run(['sysctl', '-qw', 'net.ipv4.conf.eth0.arp_notify=1']);
    const macs = Array.from({ length: FLOOD }, (_, index) => (0x10000 + index).toString(16).slice(1));
    const lines = macs.map(tail => `link set eth0 address 02:99:00:00:${tail.slice(0, 2)}:${tail.slice(2)}`);
    await arrive(one.host, () => guest.run(['ip', '-batch', '-'], { input: lines.join('\n') }));
    expect(await table()).to.equal(before);
  });
});

/** Lets a flood happen, and makes sure that it did: as many frames came in at the port. */
async function arrive(host: Machine, flood: () => Promise<unknown>): Promise<void> {
  const count = async () => Number(await host.read('/sys/class/net/vm1/statistics/rx_packets'));
  const before = await count();
  await flood();
  await until(async () => (await count()) >= before + FLOOD, PATIENCE, `${FLOOD} frames`);
}
