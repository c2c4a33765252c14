import { expect } from 'chai';
import { PATIENCE } from '../lab/wait.ts';
import { INSTALL, Stage } from './stage.ts';

/** Hypervisors often have no network of their own to fetch things from, and no Node that is new enough. */
describe('install.sh without a network', () => {
  const stage = new Stage({ installed: false });

  it('installs from a built tree where nothing answers', async () => {
    await cutOff();
    await stage.hv.sh('ip route save default >/root/default; ip route del default');
    const said = await stage.install();
    await stage.hv.sh('ip route restore </root/default');
    expect(said).to.include('there is no default route yet');
    expect(await stage.ok('pool', '--free')).to.match(/^123\.45\.90\.112$/m);
    await stage.hv.run([INSTALL, '--uninstall', '--purge']);
  });

  it('asks for no second filter where one is whole and works, and for iptables where none is', async () => {
    await stage.hv.run(['mv', '/usr/sbin/ipset', '/usr/sbin/ipset.away']);
    await stage.install();
    expect(await stage.hv.run(['nft', 'list', 'tables'])).to.match(/^table ip hnet$/m);
    await startsAndStops('vm0');
    await stage.hv.run([INSTALL, '--uninstall', '--purge']);
    // Its package is there, and so apt-get would be content.
    await stage.hv.sh(`mv /usr/bin/apt-get /usr/bin/apt-get.away; ln -s false /usr/bin/apt-get
      mv /usr/sbin/nft /usr/sbin/nft.away
      printf '#!/bin/sh\ncat >/dev/null; echo "netlink: Error: cache initialization failed" >&2; exit 1\n' >/usr/sbin/nft
      chmod 755 /usr/sbin/nft`);
    const { code, stderr } = await stage.hv.attempt([INSTALL, '--yes']);
    await stage.hv.sh(
      'cd /usr/bin; mv apt-get.away apt-get; cd ../sbin; mv ipset.away ipset; mv nft.away nft',
    );
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr: 'hnet: Cannot install ipset: see /var/log/hnet-install.log',
    });
  });

  it('says who holds the lock of dpkg, and installs once that is free', async () => {
    const lock = stage.hv.start(['python3', '-c', HOLD_LOCK]);
    await lock.until(/held/, PATIENCE);
    await stage.hv.run(['mv', '/usr/sbin/conntrack', '/usr/sbin/conntrack.away']);
    const { code, stderr } = await stage.hv.attempt([INSTALL, '--yes']);
    await stage.hv.run(['mv', '/usr/sbin/conntrack.away', '/usr/sbin/conntrack']);
    await lock.stop();
    expect(code).to.equal(1);
    expect(stderr).to.match(
      /^hnet: Cannot install conntrack: \S.* lock .*; see \/var\/log\/hnet-install\.log$/,
    );
    expect((await stage.hv.attempt(['test', '-e', '/etc/hnet/hnet.toml'])).code).to.equal(1);
  });

  it('brings its own Node where the system has none, put where a hook may execute it', async () => {
    await stage.hv.run(['mv', '/usr/bin/node', '/usr/bin/node.away']);
    expect(await stage.install()).to.match(/to run on \/usr\/bin\/hnet-node$/m);
    expect(await stage.hv.run(['stat', '-c', '%F %U %a', '/usr/bin/hnet-node'])).to.equal(
      'regular file root 755',
    );
    await startsAndStops('vm1');
    await stage.hv.run([INSTALL, '--uninstall', '--purge']);
    expect((await stage.hv.attempt(['test', '-e', '/usr/bin/hnet-node'])).code).to.equal(1);
  });

  it("brings it too where the system's is Debian's 18, and gives it back when that is upgraded", async () => {
    await stage.hv.write('/usr/bin/node', '#!/bin/sh\nexec /usr/bin/old-node "$@"\n');
    // Node 18 in all that install.sh and a careless reader of its version could ask of it.
    await stage.hv.write('/usr/bin/old-node', OLD_NODE);
    await stage.hv.run(['chmod', '755', '/usr/bin/node', '/usr/bin/old-node']);
    expect(await stage.install()).to.match(/to run on \/usr\/bin\/hnet-node$/m);
    await startsAndStops('vm2');
    await stage.hv.run(['mv', '/usr/bin/node.away', '/usr/bin/node']);
    expect(await stage.install()).to.match(/to run on \/usr\/bin\/node$/m);
    expect((await stage.hv.attempt(['test', '-e', '/usr/bin/hnet-node'])).code).to.equal(1);
    await startsAndStops('vm3');
    await stage.hv.run([INSTALL, '--uninstall', '--purge']);
  });

  it('installs from the release tarball where there is neither npm nor node_modules', async () => {
    const name = await pack();
    await stage.hv.sh(`
      mkdir /root/release && tar -xzf /root/hnet/${name} -C /root/release
      mv /usr/bin/node /usr/bin/node.away && mv /usr/bin/npm /usr/bin/npm.away
      umount /root/hnet`);
    const installer = `/root/release/${name.replace(/\.tgz$/, '')}/install.sh`;
    expect(await stage.hv.run([installer, '--yes', '--pool', '123.45.90.112/29'])).to.match(
      /to run on .*hnet-node$/m,
    );
    await startsAndStops('vm4');
    await stage.hv.run([installer, '--uninstall', '--purge']);
    expect((await stage.hv.attempt(['test', '-e', '/usr/lib/hnet'])).code).to.equal(1);
  });

  /** Nothing beyond the host answers, and asking for a name is an error at once. */
  async function cutOff(): Promise<void> {
    await stage.hv.sh('rm -f /etc/resolv.conf');
    expect((await stage.hv.attempt(['getent', 'hosts', 'www.example.org'])).code).not.to.equal(0);
  }

  async function startsAndStops(name: string): Promise<void> {
    const vm = await stage.hv.vm({ name, nic: { type: 'bridge', source: 'br116' }, boots: false });
    await stage.ok('assign', name, '123.45.90.116');
    await vm.start();
    expect(await stage.ok('status', name)).to.match(/ok$/m);
    await vm.destroy();
    await stage.hv.virsh('undefine', name);
  }

  /**
   * Packs inside of the hypervisor, where the project is a copy, and gives back the tarball's name. How small it gets is
   * not what is asked here.
   */
  async function pack(): Promise<string> {
    const env = { GZIP: '-1' };
    const said = await stage.hv.run(['sh', '-c', 'cd /root/hnet && npm run --silent pack'], { env });
    return said.trim().split('\n').at(-1) ?? '';
  }
});

/** As apt and dpkg do; flock(1) takes locks of another kind. */
const HOLD_LOCK = `
import fcntl, time
lock = open('/var/lib/dpkg/lock-frontend', 'w')
fcntl.lockf(lock, fcntl.LOCK_EX)
print('held', flush=True)
time.sleep(600)
`;

const OLD_NODE = `#!/bin/sh
case $* in
  *versions*) exit 1 ;;
  --version | -v) echo v18.20.4 ;;
  *) echo 'SyntaxError: this is Node 18' >&2; exit 1 ;;
esac
`;
