import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { hnet, ok } from '../support/command.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { knowPeers, onWire, peerNote, WIRE } from '../support/peers.ts';
import { POOLS } from '../support/scene.ts';
import { isAnswered } from '../support/silence.ts';
import { kernelSuite } from '../support/suite.ts';

const CONFIG = `pools = ${JSON.stringify(POOLS)}
[cluster]
name = "lab"
host = "h1"
interface = "${WIRE}"
etcd = ["http://${onWire(1)}:2379"]
announce = "bgp"
`;
const LOG = '/run/lab/logged';
const [GONE, THERE] = ['123.45.12.49', '123.45.12.50'];

kernelSuite('guests whose gateway is the host that they came from', newScene => {
  it('are answered at once for every known host, and for none that has left, while they run', async () => {
    const one = await newScene({ config: CONFIG });
    await one.host.sh(
      `ip link add ${WIRE} type veth peer name far; ip link set far up; ip link set ${WIRE} up`,
    );
    const know = (...uplinks: readonly string[]) =>
      knowPeers(
        one,
        uplinks.map((address, place) => peerNote(place + 2, [address, '2001:db8:12:49::2'])),
      );
    await know(GONE);
    await one.base();
    const libvirt = await FakeLibvirt.create(one);
    const guest = await one.start('vm1', '123.45.90.116');
    await libvirt.run('vm1', { addresses: ['123.45.90.116'] });
    const gateway = async (address: string): Promise<boolean> => {
      await guest.sh(`ip route replace ${address} dev eth0; ip route replace default via ${address} dev eth0
        ip neigh flush dev eth0`);
      return isAnswered(guest, INTERNET);
    };

    expect(await gateway(GONE), 'as of the start').to.equal(true);
    expect(await gateway(THERE), 'unknown').to.equal(false);
    expect(await gateway(one.host.address), 'its own').to.equal(true);
    expect((await hnet(one, 'check')).stdout).not.to.contain('br116');

    await know(GONE, THERE);
    const found = await hnet(one, 'check');
    expect(found.code).to.equal(3);
    expect(found.stdout).to.contain('answers for other hosts on br116').and.to.contain(THERE);
    await ok(one, 'sync');
    expect(await gateway(GONE)).to.equal(true);
    expect(await gateway(THERE)).to.equal(true);

    await know(THERE);
    await ok(one, 'sync');
    expect(await gateway(THERE)).to.equal(true);
    expect(await gateway(GONE), 'left').to.equal(false);

    // libvirtd is restarted. What it says goes to the log.
    await one.replace('/usr/bin/logger', `echo "$*" >>${LOG}`);
    await one.reconnect('vm1');
    const logged = (): Promise<string> => one.host.sh(`cat ${LOG} 2>/dev/null || true`);
    await until(async () => (await logged()).includes('reconnect'), PATIENCE, 'a line in the log');
    expect(await logged()).to.contain('reconnect "vm1": repaired nothing');
    await one.restore('/usr/bin/logger');

    await one.configure(`pools = ${JSON.stringify(POOLS)}\n`);
    await ok(one, 'sync');
    expect(await one.host.run(['ip', 'neigh', 'show', 'proxy']), 'without the cluster').to.equal('');
    expect(await gateway(one.host.address)).to.equal(true);
    await guest.unplug();
    await one.release('vm1');
  });
});
