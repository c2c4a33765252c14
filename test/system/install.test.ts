import { expect } from 'chai';
import { files } from './files.ts';
import { difference } from './snapshot.ts';
import { INSTALL, POOLS, Stage } from './stage.ts';

const CONFIG = '/etc/hnet/hnet.toml';
const HOOK = '/etc/libvirt/hooks/qemu.d/hnet';

/** What install.sh puts where, and what it finds out by itself. */
describe('install.sh', () => {
  const stage = new Stage({ installed: false });

  it('installs without a question when it is told the pools', async () => {
    const said = await stage.install();
    expect(said).to.include('\nwrote /etc/hnet/hnet.toml\nThis host is fit\n');
    expect(said.trim().split('\n').at(-1)).to.equal('done; now: hnet assign DOMAIN [ADDRESS]');
    expect(await stage.ok('--version')).to.match(/^\d+\.\d+\.\d+$/);
    // It made the bundles; those of the other tests need not be made anew.
    await stage.withoutEsbuild();
  });

  it('puts the hook there as a regular file that root alone may change', async () => {
    expect(await stage.hv.run(['stat', '-c', '%F %U:%G %a', HOOK])).to.equal('regular file root:root 755');
    expect(await stage.hv.run(['head', '-n1', HOOK])).to.equal('#!/bin/sh');
    expect(await stage.hv.run(['ls', '-A', '/etc/libvirt/hooks'])).to.equal('qemu.d');
    for (const command of ['/usr/bin/hnet', '/usr/bin/hnet-assign'])
      expect(await stage.hv.run(['stat', '-c', '%F %U %a', command])).to.equal('regular file root 755');
  });

  it('enables the unit that brings up the base at boot, and starts it', async () => {
    expect(await stage.hv.run(['systemctl', 'is-enabled', 'hnet-base'])).to.equal('enabled');
    expect(await stage.hv.run(['systemctl', 'is-active', 'hnet-base'])).to.equal('active');
    expect(await stage.hv.read('/proc/sys/net/ipv4/ip_forward')).to.equal('1');
    const routes = await stage.hv.run(['ip', 'route', 'show', 'type', 'blackhole']);
    for (const pool of POOLS) expect(routes).to.match(new RegExp(`^blackhole ${pool} `, 'm'));
    for (const [table, chain] of [
      ['raw', 'PREROUTING'],
      ['mangle', 'FORWARD'],
      ['mangle', 'INPUT'],
      ['nat', 'POSTROUTING'],
    ] as const) {
      const rules = await stage.hv.run(['iptables', '-t', table, '-S', chain]);
      expect(rules.split('\n')[1], chain).to.match(/ -[jg] hnet-/);
    }
  });

  it('brings the manual that the units refer to', async () => {
    const manuals = await stage.hv.sh(
      "sed -En 's,^Documentation=file://([^ ]+).*,\\1,p' /usr/lib/systemd/system/hnet-*.service | sort -u",
    );
    expect(manuals).to.equal('/usr/share/doc/hnet/README.md');
    const linked = (await stage.hv.read(manuals)).matchAll(/\]\(([\w/]+\.\w+)\)/g);
    const places = [...linked].map(([, path]) => `/usr/share/doc/hnet/${path}`);
    expect(places).to.have.length.above(5);
    await stage.hv.run(['ls', ...places]);
  });

  it('writes a configuration with the pools, what the default route says, and the name servers', async () => {
    const text = await stage.hv.read(CONFIG);
    for (const line of [
      `pools = [${POOLS.map(pool => `"${pool}"`).join(', ')}]`,
      'uplink = "eth0"',
      '# host = "123.45.12.48"',
      '# gateway = "123.45.12.1"',
      'dns = ["123.45.200.10"]',
      'scopes = "172.30.0.0/16"',
      'between_domains = true',
    ])
      expect(text.split('\n')).to.include(line);
  });

  it('changes nothing when it is run again', async () => {
    await stage.hv.sh(`echo '# mine' >>${CONFIG}`);
    const network = async () => stage.hv.sh('ip route; iptables-save | grep -v "^[#:]"; ipset save');
    const [before, kernel] = [await contents(), await network()];
    const said = await stage.hv.run([INSTALL, '--yes', '--pool', '10.0.0.0/8']);
    expect(said).not.to.include('wrote');
    expect(difference(before, await contents())).to.deep.equal([]);
    expect(await network()).to.equal(kernel);
  });

  it("takes systemd-resolved's own upstreams instead of its stub", async () => {
    await stage.hv.write(
      '/run/systemd/resolve/resolv.conf',
      '# x\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n',
    );
    await stage.hv.write('/etc/resolv.conf', 'nameserver 127.0.0.53\noptions edns0\n');
    expect(await fresh()).to.include('dns = ["192.0.2.53", "192.0.2.54"]\n');
    await stage.hv.run(['rm', '-r', '/run/systemd/resolve']);
  });

  it('falls back to Quad9 where the host knows no name server that a VM could reach', async () => {
    await stage.hv.write('/etc/resolv.conf', 'nameserver 127.0.0.53\nnameserver ::1\nsearch lan\n');
    expect(await fresh()).to.include('dns = ["9.9.9.9", "149.112.112.112", "2620:fe::fe", "2620:fe::9"]\n');
    await stage.hv.run(['rm', '/etc/resolv.conf']);
    expect(await fresh()).to.include('dns = ["9.9.9.9", "149.112.112.112", "2620:fe::fe", "2620:fe::9"]\n');
  });

  it('writes another range for scopes where something on the host has 172.30.0.0/16, and says so', async () => {
    await stage.hv.sh(
      `ip link add docker0 type bridge; ip addr add 172.30.0.1/16 dev docker0; rm -f ${CONFIG}`,
    );
    const { stdout, stderr } = await stage.hv.attempt([INSTALL, '--yes', '--pool', '10.30.0.0/24']);
    expect(stderr).to.equal(
      'hnet: 172.30.0.0/16 overlaps 172.30.0.0/16 on docker0: private subnets of VMs come from 10.31.0.0/16 instead',
    );
    expect(stdout).to.include('done; now: hnet assign');
    expect(await stage.hv.read(CONFIG)).to.include('scopes = "10.31.0.0/16"\n');
    await stage.hv.run(['ip', 'link', 'del', 'docker0']);
    expect(await fresh()).to.include('scopes = "172.30.0.0/16"\n');
  });

  it('says what to do next when it knows no pools', async () => {
    await stage.hv.run(['rm', CONFIG]);
    expect(await stage.install([])).to.match(/no pools yet: name your addresses in \/etc\/hnet\/hnet\.toml/);
    expect(await stage.hnet('assign', 'vm1')).to.have.property('code', 1);
  });

  it('reloads libvirtd, which then sees the hook', async () => {
    await stage.hv.run(['rm', '-f', CONFIG, HOOK]);
    await stage.hv.run(['systemctl', 'restart', 'libvirtd']);
    await stage.install();
    const vm = await stage.hv.vm({ name: 'vm1', nic: { type: 'bridge', source: 'br116' }, boots: false });
    await stage.ok('assign', 'vm1', '123.45.90.116');
    await vm.start();
    expect(await stage.ok('status')).to.match(/ok$/m);
    await vm.destroy();
  });

  it('shows its usage, and refuses what it does not know, with code 2', async () => {
    expect((await stage.hv.attempt([INSTALL, '--help'])).stdout).to.include('--uninstall');
    const { code, stderr } = await stage.hv.attempt([INSTALL, '--frobnicate']);
    expect({ code, usage: stderr.startsWith('Usage:') }).to.deep.equal({ code: 2, usage: true });
  });

  it('refuses to run without root', async () => {
    await stage.hv.run(['cp', INSTALL, '/tmp/install.sh']);
    const { code, stderr } = await stage.hv.attempt([
      'setpriv',
      '--reuid',
      '65534',
      '/tmp/install.sh',
      '--yes',
    ]);
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr: 'hnet: Cannot install: it needs root; run it with sudo',
    });
  });

  /** The configuration that an installation on a host without one writes. */
  async function fresh(): Promise<string> {
    await stage.hv.run(['rm', CONFIG]);
    await stage.install();
    return stage.hv.read(CONFIG);
  }

  const contents = () => files(stage.hv, ['/etc', '/usr/bin', '/usr/lib/hnet', '/var/lib'], 'contents');
});
