import { expect } from 'chai';
import type { Background } from '../lab/background.ts';
import type { Machine } from '../lab/machine.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { COMMAND } from '../support/build.ts';
import { hnet, ok } from '../support/command.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import type { Scene } from '../support/scene.ts';
import { kernelSuite } from '../support/suite.ts';
import { equip, fetchTools } from './toolbox.ts';
import { startNetworkd, startNetworkManager } from './wire.ts';

const ADDRESS = '123.45.90.116';

/** A manager of networks that is told to manage everything but the uplink, by a distribution or an operator. */
interface Manager {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly start: (machine: Machine) => Promise<Background[]>;
  /** What makes it lay hands on a bridge of ours, once it runs. */
  readonly seize: string;
}

const MANAGERS: readonly Manager[] = [
  {
    name: 'systemd-networkd',
    files: {
      '/etc/systemd/network/10-uplink.network': '[Match]\nName=eth0\n[Link]\nUnmanaged=yes\n',
      '/etc/systemd/network/20-all.network': '[Match]\nName=*\n[Network]\nDHCP=yes\n',
    },
    start: startNetworkd,
    seize: 'networkctl reconfigure br116',
  },
  {
    name: 'NetworkManager',
    files: {
      '/etc/NetworkManager/NetworkManager.conf': `[main]\nplugins=keyfile\ndns=none\n[keyfile]
unmanaged-devices=interface-name:eth0\n[device]\nmatch-device=*\nmanaged=1\n`,
    },
    start: startNetworkManager,
    seize: 'nmcli device set br116 managed yes; nmcli device disconnect br116',
  },
];

for (const { name, files, start, seize } of MANAGERS) {
  kernelSuite(`${name} that manages everything`, scene => {
    let running: Background[] = [];

    before(fetchTools);
    afterEach(async () => {
      for (const each of running) await each.stop();
      running = [];
    });

    /** A host with a domain that is reached from outside, on which the manager was started since. */
    async function managed(): Promise<Scene> {
      const one = await scene();
      await equip(one.host);
      const libvirt = await FakeLibvirt.create(one);
      await one.base();
      await one.start('vm1', ADDRESS);
      await libvirt.run('vm1', { addresses: [ADDRESS], taps: [{ bridge: 'br116', tap: 'vm1' }] });
      for (const [path, text] of Object.entries(files)) await one.host.write(path, text);
      running = await start(one.host);
      await until(async () => (await one.host.attempt(['sh', '-ec', seize])).code === 0, PATIENCE, name);
      return one;
    }

    const isWhole = async (one: Scene): Promise<boolean> =>
      (await hnet(one, 'check')).code === 0 && (await one.lab.internet.ping(ADDRESS));

    it('does harm, which one sync undoes', async () => {
      const one = await managed();
      await until(async () => (await hnet(one, 'check')).code === 3, PATIENCE, 'harm');
      await ok(one, 'sync');
      await until(() => isWhole(one), PATIENCE, 'the host to be in order');
    });

    it('does harm, which the service undoes by itself', async () => {
      const one = await managed();
      const service = one.host.start([process.execPath, COMMAND, 'watch']);
      running.push(service);
      await service.until(/^repaired: /m, PATIENCE);
      await until(() => isWhole(one), PATIENCE, 'the host to be in order');
      expect(await ok(one, 'sync')).to.deep.equal([]);
    });
  });
}
