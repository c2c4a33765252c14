import { basename } from 'node:path';
import { expect } from 'chai';
import { type Loss, Pings } from '../lab/pings.ts';
import type { Outcome } from '../lab/run.ts';
import type { Vm } from '../lab/vm.ts';
import { PROJECT } from '../support/build.ts';
import { type Debs, ensureDebs, withVersion } from '../support/deb.ts';
import { files } from './files.ts';
import { changes, difference, type Snapshot, snapshot } from './snapshot.ts';
import { INSTALL, Stage } from './stage.ts';

const IP = '123.45.90.116';
const DIRECTORIES = ['/etc', '/usr', '/var/lib'];
const HOOK = '/etc/libvirt/hooks/qemu.d/hnet';
/** Ones that would be right too; the package is built with that of the tree. */
const [OLDER, NEWER] = ['0.0.9', '99.0'];

/** The package from the first installation to the purge, with a VM that runs meanwhile, all of it without a network. */
describe("Debian's package", () => {
  const stage = new Stage({ installed: false });
  let debs: Debs;
  let filesBefore: string[];
  let base: Snapshot;
  let vm: Vm;

  before(async () => {
    debs = await ensureDebs();
    for (const deb of Object.values(debs)) await bring(deb);
    for (const version of [OLDER, NEWER]) await bring(await withVersion(debs.hnet, version));
    await stage.withoutEsbuild();
    // They have nothing to do with hnet: one stays behind as a process, the other takes seconds.
    await stage.hv.sh('rm -f /etc/apt/apt.conf.d/*packagekit* /var/lib/man-db/auto-update');
    base = await snapshot(stage.hv);
    filesBefore = await files(stage.hv, DIRECTORIES);
  });

  it('is installed by apt, and says what comes next', async () => {
    const { code, stdout, stderr } = await apt('install', debPath());
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^hnet: now: sudo hnet init --pool YOUR-ADDRESSES$/m);
    expect(await stage.hv.run(['stat', '-c', '%F %U:%G %a', HOOK])).to.equal('regular file root:root 755');
    expect(await stage.hv.run(['systemctl', 'is-enabled', ...UNITS])).to.equal('enabled\nenabled\nenabled');
    expect(await stage.hv.run(['systemctl', 'list-units', '--failed', '--quiet'])).to.equal('');
    const { stderr: why } = await stage.hnet('status');
    expect(why).to.equal(
      "hnet: Cannot read /etc/hnet/hnet.toml: ENOENT: no such file or directory, open '/etc/hnet/hnet.toml'; hnet init writes it",
    );
  });

  it('is set up by hnet init, which finds out which kind of host this is', async () => {
    const said = await stage.ok('init', '--pool', '123.45.90.112/29', '--pool', '123.45.53.11');
    expect(said.split('\n')).to.deep.equal([
      'wrote /etc/hnet/hnet.toml',
      'This host is fit',
      'done; now: hnet assign DOMAIN [ADDRESS]',
    ]);
    const config = await stage.hv.read('/etc/hnet/hnet.toml');
    expect(config)
      .to.match(/^uplink = "eth0"$/m)
      .and.match(/^ipv4 = "routed"$/m);
    expect(await stage.hv.run(['systemctl', 'is-active', ...UNITS])).to.equal('active\ninactive\nactive');
    expect(await stage.ok('init', '--yes')).to.equal(
      'This host is fit\ndone; now: hnet assign DOMAIN [ADDRESS]',
    );
    expect(await stage.hv.read('/etc/hnet/hnet.toml')).to.equal(config);
  });

  it('does the main job', async () => {
    const append = `addr=${IP} gw=${stage.hv.address}`;
    vm = await stage.hv.vm({ name: 'vm1', nic: { type: 'network', source: 'default' }, append });
    await stage.ok('assign', 'vm1', IP);
    await vm.start();
    await vm.ready();
    expect(await stage.web(IP)).to.equal('a guest of hnet');
    expect(await stage.ok('status')).to.match(/ok$/m);
  });

  for (const [what, version] of [
    ['an upgrade', NEWER],
    ['a downgrade', OLDER],
  ] as const)
    it(`loses no packet of a running VM by ${what}`, async () => {
      const since = await stage.hv.run([
        'systemctl',
        'show',
        'hnet-base',
        '-p',
        'ActiveEnterTimestampMonotonic',
      ]);
      const daemon = await stage.hv.run(['systemctl', 'show', 'hnet-watch', '-p', 'MainPID']);
      const loss = await during(() => mustApt('install', '--allow-downgrades', debPath(version)));
      expect(loss).to.include({ lost: 0 });
      expect(await stage.hv.sh("dpkg -s hnet | sed -n 's/^Version: //p'")).to.equal(version);
      expect(
        await stage.hv.run(['systemctl', 'show', 'hnet-base', '-p', 'ActiveEnterTimestampMonotonic']),
      ).to.equal(since);
      expect(await stage.hv.run(['systemctl', 'show', 'hnet-watch', '-p', 'MainPID'])).not.to.equal(daemon);
      await isWhole();
    });

  it('refuses to be removed while a VM runs, and changes nothing', async () => {
    const running = await snapshot(stage.hv);
    const loss = await during(async () => {
      const { code, stdout, stderr } = await apt('remove', 'hnet');
      expect(code).not.to.equal(0);
      expect(stdout + stderr).to.include(
        'hnet: Cannot uninstall while domains use hnet: stop them first (hnet status shows them)',
      );
    });
    expect(loss).to.include({ lost: 0 });
    const counted = / packets \d+ bytes \d+/;
    const now = difference(running, await snapshot(stage.hv));
    expect(now.filter(line => !counted.test(line))).to.deep.equal([]);
    await isWhole();
  });

  it('brings the page, which Cockpit finds', async () => {
    await mustApt('install', debPath(), pagePath());
    expect(await stage.hv.run(['cockpit-bridge', '--packages'])).to.match(
      /^hnet +VM addresses +\/usr\/share\/cockpit\/hnet$/m,
    );
  });

  it('gives way to install.sh and takes over from it, and loses no packet of a running VM', async () => {
    const loss = await during(async () => {
      expect(await stage.hv.run([INSTALL, '--yes'])).to.include('hnet: taking over from the package hnet');
      for (const name of ['hnet', 'cockpit-hnet'])
        expect((await stage.hv.attempt(['dpkg-query', '-W', name])).code).to.equal(1);
      await isWhole();
      // As install.sh of version 0.1 left it.
      await stage.hv.sh(`cd /usr/lib/systemd/system; cp hnet-base.service hnet-sync.service hnet-watch.service /etc/systemd/system/
        cp ${HOOK} /etc/libvirt/hooks/qemu; touch /usr/share/doc/hnet/of-old.md
        echo usr/share/doc/hnet/of-old.md >>/usr/lib/hnet/FILES; systemctl daemon-reload`);
      await mustApt('install', debPath(), pagePath());
    });
    expect(loss).to.include({ lost: 0 });
    await isWhole();
    expect(await stage.hv.run(['ls', '-A', '/etc/libvirt/hooks'])).to.equal('qemu.d');
    expect(await stage.hv.sh('ls /etc/systemd/system/hnet-* 2>/dev/null || true')).to.equal('');
    expect(await unowned()).to.deep.equal([]);
  });

  it('is not uninstalled by install.sh', async () => {
    const { code, stderr } = await stage.hv.attempt([INSTALL, '--uninstall']);
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr:
        'hnet: Cannot uninstall: hnet is installed as a package; use: apt remove hnet (or apt purge hnet)',
    });
  });

  it('says why the hook cannot be put on a full disk, loses no packet, and goes on once there is room', async () => {
    const loss = await during(async () => {
      await stage.hv.sh(`cd /etc/libvirt/hooks; cp -a qemu.d /root/kept; mount -t tmpfs -o size=8k none qemu.d
        cp -a /root/kept/. qemu.d/; dd if=/dev/zero of=qemu.d/.full bs=4k 2>/dev/null || true`);
      const { code, stdout, stderr } = await apt('install', '--allow-downgrades', debPath(NEWER));
      expect(code).not.to.equal(0);
      expect(stdout + stderr).to.match(
        /^hnet: Cannot put the hook to \S+: .*No space left on device; mend that and install hnet again$/m,
      );
      // The hook of before is there, and serves.
      expect(await stage.hv.run(['ls', '-A', '/etc/libvirt/hooks/qemu.d'])).to.equal('.full\nhnet');
      expect(await stage.ok('check')).to.equal('Everything is as it should be');
      await stage.hv.sh('umount /etc/libvirt/hooks/qemu.d; rm -r /root/kept');
      await stage.hv.run(['dpkg', '--configure', '-a']);
    });
    expect(loss).to.include({ lost: 0 });
    await isWhole();
  });

  it('leaves network, hook and files as they were when it is removed; a purge takes the rest', async () => {
    await vm.destroy();
    await stage.hv.virsh('undefine', 'vm1');
    await mustApt('remove', 'hnet');
    expect(await changes(stage.hv, base)).to.deep.equal([]);
    const left = difference(filesBefore, await files(stage.hv, DIRECTORIES)).filter(isOurs);
    expect(left.map(line => line.replace(/^.* (\/(?:etc|var\/lib)\/hnet)\b.*$/, '$1'))).to.include.members([
      '/etc/hnet',
      '/var/lib/hnet',
    ]);
    expect(left.filter(line => !/ \/(etc|var\/lib)\/hnet\b/.test(line))).to.deep.equal([]);
    await mustApt('purge', 'hnet');
    expect(difference(filesBefore, await files(stage.hv, DIRECTORIES)).filter(isOurs)).to.deep.equal([]);
  });

  it('brings its own Node.js where the release has none that is new enough, and before there is libvirt', async () => {
    await mustApt('purge', 'nodejs');
    await stage.hv.run(['systemctl', 'stop', 'libvirtd*']);
    await stage.hv.sh('mv /usr/sbin/libvirtd /root/');
    const { code } = await apt('install', debPath());
    expect(code, 'without hnet-node').not.to.equal(0);
    await mustApt('install', debPath(), '/tmp/hnet-node.deb');
    const said = await stage.ok('init', '--pool', '123.45.90.112/29');
    expect(said)
      .to.match(/^Cannot connect to libvirt /m)
      .and.match(/^done; now: hnet assign/m);
    await stage.hv.sh('mv /root/libvirtd /usr/sbin/; systemctl start libvirtd');
    const one = await stage.hv.vm({ name: 'vm2', nic: { type: 'bridge', source: 'br116' }, boots: false });
    await stage.ok('assign', 'vm2', IP);
    await one.start();
    expect(await stage.ok('status')).to.match(/ok$/m);
    await one.destroy();
    await stage.hv.virsh('undefine', 'vm2');
    await mustApt('purge', 'hnet', 'hnet-node');
    expect((await stage.hv.attempt(['test', '-e', '/usr/bin/hnet-node'])).code).to.equal(1);
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });

  /** Puts a package where apt's own user can read it. */
  async function bring(deb: string): Promise<void> {
    const name = basename(deb).startsWith('hnet-node') ? 'hnet-node.deb' : basename(deb);
    await stage.hv.run(['cp', deb.replace(PROJECT, '/root/hnet'), `/tmp/${name}`]);
    await stage.hv.run(['chmod', '644', `/tmp/${name}`]);
  }

  const debPath = (version?: string): string =>
    `/tmp/${version === undefined ? basename(debs.hnet) : basename(debs.hnet).replace(/_[^_]+_/, `_${version}_`)}`;

  const pagePath = (): string => `/tmp/${basename(debs.page)}`;

  const apt = (...words: readonly string[]): Promise<Outcome> =>
    stage.hv.attempt(['apt-get', '-y', '-q', '--no-install-recommends', ...words], {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });

  async function mustApt(...words: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await apt(...words);
    expect(code, `${words.join(' ')}: ${stdout}${stderr}`).to.equal(0);
  }

  /** What becomes of a ping every 10 ms to the VM while something is done. */
  async function during(work: () => Promise<unknown>): Promise<Loss> {
    const pings = await Pings.start(stage.lab.internet, IP);
    await work();
    await pings.more(20);
    return pings.stop();
  }

  async function isWhole(): Promise<void> {
    expect(await stage.ok('check')).to.equal('Everything is as it should be');
    expect(await stage.hv.run(['systemctl', 'is-active', ...UNITS])).to.equal('active\ninactive\nactive');
  }

  /** Files in hnet's places that no package has. */
  async function unowned(): Promise<string[]> {
    const found =
      await stage.hv.sh(`find /usr/lib/hnet /usr/share/doc/hnet /usr/share/cockpit/hnet /usr/bin/hnet* -type f |
      while read -r file; do dpkg -S "$file" >/dev/null 2>&1 || echo "$file"; done`);
    return found.split('\n').filter(Boolean);
  }
});

const UNITS = ['hnet-base', 'hnet-sync', 'hnet-watch'];

/** apt and dpkg keep logs and caches. */
const isOurs = (line: string): boolean =>
  !/ \/var\/(lib\/(dpkg|apt)|cache|log)\b| \/etc\/ld\.so\.cache /.test(line);
