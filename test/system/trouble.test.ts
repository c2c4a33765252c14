import { expect } from 'chai';
import { Stage } from './stage.ts';

const SOCKETS = 'libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket';

/** What hnet says where it can't work at all. */
describe('hnet in trouble', () => {
  const stage = new Stage();

  it('says that it needs root', async () => {
    const argv = ['setpriv', '--reuid', '65534', '--clear-groups', 'hnet', 'status'];
    const { code, stderr } = await stage.hv.attempt(argv);
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr: 'hnet: status needs root: sudo hnet status',
    });
  });

  it('shows its help to anybody', async () => {
    const { code, stdout } = await stage.hv.attempt(['setpriv', '--reuid', '65534', 'hnet', '--help']);
    expect(code).to.equal(0);
    for (const command of ['assign', 'unassign', 'status', 'plan', 'pool'])
      expect(stdout).to.include(command);
  });

  it('says that there is no libvirt, in one line, and changes nothing', async () => {
    await stage.hv.sh(`systemctl stop ${SOCKETS} libvirtd`);
    for (const way of ['libvirt.so', 'virsh']) {
      if (way === 'virsh') await stage.hv.run(['mv', '/usr/lib/hnet/node_modules', '/root/away']);
      for (const argv of [['status'], ['pool'], ['plan', 'vm1'], ['assign', 'vm1'], ['unassign', 'vm1']]) {
        const { code, stdout, stderr } = await stage.hnet(...argv);
        expect({ way, argv, code, stdout }).to.deep.equal({ way, argv, code: 1, stdout: '' });
        expect(stderr, `${way} ${argv[0]}`).to.match(/^hnet: Cannot .*(libvirt|connect|socket).*$/i);
        expect(stderr.split('\n')).to.have.length(1);
      }
    }
    // What it can look at, it looks at; but not everything is as it should be for all that it knows.
    for (const argv of [['check'], ['sync'], ['sync', '--dry-run']]) {
      const { code, stdout, stderr } = await stage.hnet(...argv);
      expect({ argv, code }).to.deep.equal({ argv, code: 1 });
      expect(stdout).not.to.match(/Everything is|Nothing to repair/);
      expect(stderr, argv.join(' ')).to.match(/^hnet: Cannot .*(libvirt|connect|socket).*$/i);
    }
    await stage.hv.run(['mv', '/root/away', '/usr/lib/hnet/node_modules']);
    await stage.hv.sh(`systemctl start ${SOCKETS}`);
  });

  it('says which domains come near a name that it does not know', async () => {
    await stage.hv.vm({ name: 'web1', nics: [], boots: false });
    const { code, stderr } = await stage.hnet('status', 'web');
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr: 'hnet: Cannot find a domain "web"; did you mean "web1"?',
    });
  });

  it('changes all or nothing of a running domain whose record is lost', async () => {
    const vms = await Promise.all(
      ['vm8', 'vm9'].map(name => stage.hv.vm({ name, nic: { type: 'bridge', source: 'br0' }, boots: false })),
    );
    await stage.ok('assign', 'vm8', '123.45.90.116', '123.45.53.11');
    await stage.ok('assign', 'vm9', '123.45.90.117');
    for (const vm of vms) await vm.start();
    const records = '/run/hnet/attachments';
    for (const harm of ['truncate -s 40', ': >', 'rm']) {
      await stage.hv.sh(`for file in ${records}/*.json; do ${harm} $file; done`);
      const before = await seen();
      for (const argv of [
        ['firewall', 'vm8', 'allow', 'tcp/22'],
        ['firewall', 'vm8', 'isolate', 'on'],
        ['assign', 'vm8', '123.45.53.12'],
        ['assign', 'vm8', '--dhcp', 'public'],
        ['unassign', 'vm8', '123.45.53.11'],
        ['move', '123.45.53.11', 'vm8', 'vm9'],
        ['move', '123.45.90.117', 'vm9', 'vm8'],
      ]) {
        const { code, stderr } = await stage.hnet(...argv);
        expect(code, argv.join(' ')).to.equal(1);
        expect(stderr).to.match(
          /^hnet: Cannot change "vm[89]": it runs, and the record of what is set up for it is lost; run hnet sync, which rebuilds it$/,
        );
        expect(await seen(), argv.join(' ')).to.equal(before);
      }
      await stage.ok('sync');
      expect(await stage.ok('check')).to.equal('Everything is as it should be');
    }
    await stage.ok('firewall', 'vm8', 'allow', 'tcp/22');
    for (const vm of vms) await vm.destroy();
    for (const name of ['vm8', 'vm9']) await stage.ok('unassign', name, '--all');

    async function seen(): Promise<string> {
      const xmls = await Promise.all(
        ['vm8', 'vm9'].flatMap(name => [stage.xml(name), stage.xml(name, '--inactive')]),
      );
      return `${xmls.join()}${await stage.hv.sh('ip route; ipset save | grep -v "timeout [1-9]" | sort; iptables-save -t mangle | grep -v "^[#:]"')}`;
    }
  });

  it('refuses a pool that holds the host, with file and key, whatever the command', async () => {
    await stage.hv.sh(
      `cp /etc/hnet/hnet.toml /root/; sed -i 's,^pools.*,pools = ["123.45.12.0/24"],' /etc/hnet/hnet.toml`,
    );
    const { code, stderr } = await stage.hnet('assign', 'web1', '123.45.12.99');
    await stage.hv.run(['mv', '/root/hnet.toml', '/etc/hnet/hnet.toml']);
    expect(code).to.equal(1);
    expect(stderr).to.match(
      /hnet\.toml.*pool.*contains 123\.45\.12\.(48|1), the host's or the gateway's own/,
    );
  });

  it('finds the uplink also where somebody blackholes the reserved networks', async () => {
    await stage.hv.run(['ip', 'route', 'add', 'blackhole', '192.0.2.0/24']);
    const answer = await stage.hnet('pool');
    await stage.hv.run(['ip', 'route', 'del', 'blackhole', '192.0.2.0/24']);
    expect(answer).to.include({ code: 0, stderr: '' });
  });

  it('prints every command that it runs with --trace, on standard error', async () => {
    await stage.hv.run(['ip', 'route', 'del', 'blackhole', '123.45.53.11']);
    const { stderr } = await stage.hnet('--trace', 'base', 'up');
    expect(stderr.split('\n')).to.include(
      '+   ip route replace blackhole 123.45.53.11/32 metric 1000000 proto 104',
    );
  });

  it('serves several addresses of one domain on one bridge, all of them reachable', async () => {
    const addresses = ['123.45.90.116', '123.45.90.119', '123.45.53.13'];
    const vm = await stage.hv.vm({
      name: 'many',
      nic: { type: 'bridge', source: 'br116' },
      append: `addr=${addresses[0]} gw=${stage.hv.address}`,
    });
    await stage.ok('assign', 'many', ...addresses);
    await vm.start();
    await vm.ready();
    await vm.sh(
      addresses
        .slice(1)
        .map(address => `ip addr add ${address}/32 dev eth0`)
        .join('\n'),
    );
    for (const address of addresses) expect(await stage.lab.internet.ping(address), address).to.equal(true);
    expect((await stage.hv.run(['ip', '-br', 'link', 'show', 'type', 'bridge'])).split('\n')).to.have.length(
      1,
    );
    await vm.destroy();
    expect(await stage.hv.run(['ip', 'route', 'show', 'proto', '104', 'type', 'unicast'])).to.equal('');
  });
});
