import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { ClusterStage } from './stage.ts';

/** IPv6, in which a guest's gateway is the same on each host. */
const address = (number: number): string => `2001:db8:12:4900::${number}`;

describe('VMs with a disk that move', () => {
  const stage = new ClusterStage({ hosts: 2 });

  it('take along what is on the disk, two at once', async () => {
    const { cluster, lab } = stage;
    const [h1, h2] = [stage.host(1), stage.host(2)];
    const nic = { type: 'network', source: 'default' } as const;
    const vms = await Promise.all(
      [116, 117].map(async (number, index) => {
        const append = `addr6=${address(number)}`;
        const vm = await cluster.vm(h1, { name: `vm${index + 1}`, nic, append, disk: 16 });
        await stage.ok(h1, 'assign', vm.name, address(number));
        await vm.start();
        await vm.ready();
        await vm.sh(`echo "this is ${vm.name}" | dd of=/dev/vda bs=1M seek=9 conv=sync,fsync 2>/dev/null`);
        return vm;
      }),
    );
    const onDisk = "dd if=/dev/vda bs=1M skip=9 count=1 iflag=direct 2>/dev/null | tr -d '\\0'";
    for (const to of [h2, h1]) {
      await Promise.all(vms.map(vm => cluster.migrate(vm, to, '--copy-storage-all')));
      for (const vm of vms) expect(await vm.sh(onDisk)).to.equal(`this is ${vm.name}`);
      for (const each of [116, 117].map(address))
        await until(() => lab.internet.ping(each), PATIENCE, `an answer of ${each} on ${to.name}`);
    }
  });
});
