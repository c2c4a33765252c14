import { expect } from 'chai';
import { ATTACHMENTS_DIRECTORY } from '../../src/model/names.ts';
import { domainXml, uuidOf } from '../support/domain.ts';
import { CONFIG, type Scene, VARIANTS } from '../support/scene.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

kernelSuite('release', (scene, share) => {
  const empty = share(async newScene => basedOn(await newScene()));

  for (const variant of VARIANTS) {
    it(`leaves the host as it was after install.sh, but for the lease (${variant})`, async () => {
      const { one, before } = await basedOn(await scene({ variant }));
      await one.prepare('vm1', [
        '123.45.90.116',
        { ip: '123.45.53.11', bridge: 'br116', scope: '172.30.116.0/24' },
      ]);
      await one.prepare('vm2', ['123.45.90.117', '123.45.53.12']);
      const guest = await one.host.guest({ name: 'vm1', bridge: 'br116' });
      await guest.dhcp();
      expect(await snapshot(one.host)).not.to.equal(before);
      await guest.unplug();
      await one.release('vm1');
      await one.release('vm2');
      await expectUnchanged(one.host, before);
      expect(await one.host.read('/var/lib/hnet/leases/br116.leases')).to.contain(guest.mac);
    });
  }

  it('gives the same guest the same lease at the next start', async () => {
    const { one } = await basedOn(await scene());
    const leases: string[] = [];
    for (const round of [1, 2]) {
      await one.prepare('vm1', ['123.45.90.116']);
      const guest = await one.host.guest({ name: `vm${round}`, bridge: 'br116', mac: '52:54:00:00:00:42' });
      leases.push((await guest.dhcp()).ip);
      await guest.unplug();
      await one.release('vm1');
    }
    expect(leases[0]).to.match(/^172\.30\.116\./);
    expect(leases[1]).to.equal(leases[0]);
  });

  it('does no harm when it is called again, or for what was never started', async () => {
    const { one, before } = await empty();
    await one.prepare('vm1', ['123.45.90.116']);
    await one.release('vm1');
    await one.release('vm1');
    await one.release('vm2', { addresses: ['123.45.90.117'] });
    await one.release('vm3', {});
    await expectUnchanged(one.host, before);
  });

  it('ends a DHCP server whose pid nobody came to note', async () => {
    const { one, before } = await empty();
    await one.prepare('vm1', ['123.45.90.116']);
    await one.host.run(['rm', '/run/hnet/dhcp/br116.pid']);
    await one.release('vm1');
    await expectUnchanged(one.host, before);
  });

  it('obeys the attachment, not what the metadata says by then', async () => {
    const { one, before } = await empty();
    await one.prepare('vm1', ['123.45.90.116']);
    await one.release('vm1', { addresses: ['123.45.90.118'] });
    await expectUnchanged(one.host, before);
    await one.prepare('vm1', ['123.45.90.116']);
    await one.release('vm1', {});
    await expectUnchanged(one.host, before);
  });

  for (const [what, harm] of [
    ['is cut off', 'truncate -s 40'],
    ['is empty', 'truncate -s 0'],
    ['is gone', 'rm'],
  ]) {
    it(`goes by the metadata where the attachment ${what}`, async () => {
      const { one, before } = await empty();
      await one.prepare('vm1', ['123.45.90.116']);
      await one.host.sh(`${harm} ${ATTACHMENTS_DIRECTORY}/${uuidOf('vm1')}.json`);
      await one.release('vm1');
      // A claim whose attachment is gone binds nobody.
      await one.host.sh('rm -f /run/hnet/claims/*');
      await expectUnchanged(one.host, before);
    });
  }

  it('finds everything in the filter that the configuration chooses, where the attachment is gone', async () => {
    const one = await scene();
    await one.configure(`${CONFIG}[firewall]\nbackend = "nftables"\n`);
    await one.base();
    const before = await snapshot(one.host);
    await one.prepare('vm1', ['123.45.90.116']);
    await one.host.sh(`rm ${ATTACHMENTS_DIRECTORY}/*`);
    await one.release('vm1');
    await one.host.sh('rm -f /run/hnet/claims/*');
    await expectUnchanged(one.host, before);
  });

  it("leaves files that are root's alone, whoever made them", async () => {
    const { one } = await empty();
    await one.host.run(['rm', '-rf', '/run/hnet/sync.lock', '/var/lib/hnet']);
    await one.prepare('vm1', ['123.45.90.116']);
    const guest = await one.host.guest({ name: 'vm1', bridge: 'br116' });
    // An older hnet may have made it.
    await one.host.run(['chmod', '755', '/run/hnet']);
    await one.host.sh('pkill -x dnsmasq; while pgrep -x dnsmasq; do sleep 0.01; done');
    await one.reconnect('vm1');
    expect((await guest.dhcp()).router).to.equal('172.30.116.1');
    await guest.unplug();
    await one.host.run(['rm', '/run/hnet/sync.lock']);
    await one.release('vm1');
    // dnsmasq makes its file of leases by itself, in a directory that nobody else may enter.
    const open = await one.host.sh(
      'find /run/hnet /var/lib/hnet ! -type l -perm /077 ! -name "*.leases"; ls /run/hnet/sync.lock',
    );
    expect(open.trim()).to.equal('/run/hnet/sync.lock');
  });

  it('needs of the XML the UUID alone: the rest may be cut off', async () => {
    const { one, before } = await empty();
    await one.prepare('vm1', ['123.45.90.116']);
    await one.host.sh(`rm ${ATTACHMENTS_DIRECTORY}/*.sh`);
    const xml = domainXml('vm1', { addresses: ['123.45.90.116'] }).split('<devices>')[0] ?? '';
    expect(await one.hook('release', 'vm1', xml)).to.deep.equal({ code: 0, stdout: '', stderr: '' });
    await expectUnchanged(one.host, before);
  });

  it('of a start that was refused leaves the holder of the address alone', async () => {
    const { one } = await basedOn(await scene());
    const guest = await one.start('vm1', '123.45.90.116');
    const running = await snapshot(one.host);
    const { code, stderr } = await one.attemptPrepare('vm2', ['123.45.90.116']);
    expect([code, stderr]).to.deep.equal([
      1,
      'hnet: Cannot start "vm2": 123.45.90.116 is in use by domain "vm1"',
    ]);
    await one.release('vm2');
    await expectUnchanged(one.host, running);
    expect(await guest.ping('123.45.200.10')).to.equal(true);
  });

  it('takes down what is left although other parts are gone', async () => {
    const { one, before } = await empty();
    await one.prepare('vm1', ['123.45.90.116']);
    await one.host.sh('ip link del br116; pkill -x dnsmasq; ipset del hnet4-in 123.45.90.116');
    await one.release('vm1');
    await expectUnchanged(one.host, before);
  });

  it('says nothing and does nothing at other operations', async () => {
    const { one } = await basedOn(await scene());
    await one.prepare('vm1', ['123.45.90.116']);
    const running = await snapshot(one.host);
    for (const operation of ['start', 'started', 'stopped', 'migrate', 'restore', 'attach', 'no-such']) {
      const outcome = await one.hook(operation, 'vm1', domainXml('vm1', { addresses: ['123.45.90.116'] }));
      expect(outcome, operation).to.deep.equal({ code: 0, stdout: '', stderr: '' });
    }
    await expectUnchanged(one.host, running);
  });
});

async function basedOn(one: Scene): Promise<{ one: Scene; before: string }> {
  await one.base();
  return { one, before: await snapshot(one.host) };
}
