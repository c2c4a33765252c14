import { expect } from 'chai';
import { commandLine } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { POOLS, Stage } from './stage.ts';

const CONFIG = `pools = ${JSON.stringify(POOLS)}
mtu = 1400
[dhcp]
mode = "public"
ipxe = "tftp://172.30.116.1/boot.ipxe"
`;

/** What the ROM loads: the lab's own kernel, from where the lab has put it. */
const SCRIPT = `#!ipxe
kernel http://172.30.116.1/lab-vmlinuz ${commandLine('')}
initrd http://172.30.116.1/lab-initramfs
boot
`;

/** QEMU's own ROM of a network card, which is iPXE, in a VM that has nothing else to boot from. */
describe('a VM that boots by network', () => {
  const stage = new Stage();
  let vm: Awaited<ReturnType<Stage['hv']['vm']>>;

  it('loads by its bootstrap lease what hnet.toml says, and the system then leases the public address', async () => {
    const { hv } = stage;
    await hv.write('/etc/hnet/hnet.toml', CONFIG);
    await stage.ok('sync');
    vm = await hv.vm({ name: 'vm1', nic: { type: 'network', source: 'default' }, boots: 'network' });
    await stage.ok('assign', 'vm1', '123.45.90.116');
    await hv.write('/srv/tftp/boot.ipxe', SCRIPT);
    // They listen before the bridge is there: the ROM doesn't ask for long.
    const tftp = '--port=0 --enable-tftp --tftp-root=/srv/tftp --log-facility=-';
    const files = hv.start(['dnsmasq', '--keep-in-foreground', ...tftp.split(' ')]);
    const web = hv.start(['busybox', 'httpd', '-f', '-vv', '-p', '80', '-h', '/var/lib/libvirt/qemu']);
    await until(
      async () => (await hv.run(['ss', '-Hln', '( sport = :69 or sport = :80 )'])).split('\n').length >= 2,
      PATIENCE,
      'both servers',
    );
    await vm.start();
    await files.until(/sent \/srv\/tftp\/boot.ipxe to 172.30.116.\d+/, PATIENCE);
    await web.until(/url:\/lab-initramfs/, PATIENCE);
    expect(await vm.ready()).to.equal('dhcp 123.45.90.116');
    for (const each of [files, web]) await each.stop();
  });

  it('hears how large packets may be, and has a tap that takes as much', async () => {
    expect(await vm.sh('cat /run/lease.eth0 /sys/class/net/eth0/mtu')).to.match(/^mtu=1400$.*^1400$/ms);
    const port = await stage.hv.run(['ip', '-o', 'link', 'show', 'master', 'br116']);
    expect(port).to.match(/: vnet\d+: .* mtu 1400 /);
    expect(await stage.hnet('check')).to.include({ code: 0 });
  });

  it('that has a smaller MTU in its definition gets a bridge of that MTU', async () => {
    const { hv } = stage;
    await vm.destroy();
    const xml = (await stage.xml('vm1', '--inactive')).replace(
      '</interface>',
      "<mtu size='1300'/></interface>",
    );
    await hv.write('/root/vm1.xml', xml);
    await hv.virsh('define', '/root/vm1.xml');
    await hv.virsh('start', 'vm1');
    for (const device of ['br116', 'vnet[0-9]*'])
      expect(await hv.sh(`cat /sys/class/net/${device}/mtu`)).to.equal('1300');
    expect(await stage.hnet('check')).to.include({ code: 0 });
  });

  it('loads what `hnet assign --boot` says, at once, until that says default', async () => {
    const said = async () => (await stage.hv.sh('grep ^dhcp-boot /run/hnet/dhcp/br116.conf')).split('\n');
    await stage.ok('assign', 'vm1', '--boot', 'rescue.ipxe');
    expect(await stage.xml('vm1', '--inactive')).to.match(/<hnet:boot[^>]*>rescue.ipxe<\/hnet:boot>/);
    const own = ['tag:rom,tag:!ipxe', 'tag:ipxe'].map(tag => `dhcp-boot=${tag},rescue.ipxe,,172.30.116.1`);
    expect(await said()).to.deep.equal(own);
    const { code, stderr } = await stage.hnet('assign', 'vm1', '--boot', 'a,b');
    expect({ code, stderr }).to.include({ code: 2 });
    expect(stderr).to.match(/^hnet: Cannot assign: "a,b" is not a file's name or a URL such as/);
    expect(await said()).to.deep.equal(own);
    await stage.ok('assign', 'vm1', '--boot', 'default');
    expect(await stage.xml('vm1', '--inactive')).not.to.include('hnet:boot');
    expect(await said()).to.deep.equal(['dhcp-boot=tag:ipxe,tftp://172.30.116.1/boot.ipxe,,172.30.116.1']);
    await vm.destroy();
    expect(await stage.hnet('check')).to.include({ code: 0 });
  });
});
