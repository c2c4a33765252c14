import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { Stage } from './stage.ts';

const IP = '123.45.90.116';

/**
 * The udev rule, with the real udev, and the real managers of networks, of a release whose networkd knows of it. `plain` is a
 * bridge of somebody else's, which is no other than ours but for its device group.
 */
describe('managers of networks on Debian 13', () => {
  const stage = new Stage({ release: 13 });

  before(async () => {
    await startUdev();
    await stage.hv.vm({ name: 'vm1', nic: { type: 'network', source: 'default' }, boots: false });
    await stage.ok('assign', 'vm1', IP);
    await stage.hv.virsh('start', 'vm1');
    await stage.hv.sh(`ip link add plain type bridge; ip link set plain up; ip address add 10.9.9.9/24 dev plain
      udevadm settle`);
  });

  /**
   * Of udev's rules those that these managers need alone: the others are for devices, and those are the outer machine's.
   * udev won't start where it can't write to /sys, which holds the devices of this machine's network.
   */
  async function startUdev(): Promise<void> {
    await stage.hv.sh(`cd /usr/lib/udev/rules.d
      find . -name '*.rules' ! -name '*-hnet*' ! -name '*-nm-*' ! -name 99-systemd.rules -delete
      mount -o remount,rw /sys
      cd /etc/systemd/system
      rm systemd-udevd*.service systemd-udevd*.socket systemd-networkd.* NetworkManager.service
      systemctl daemon-reload
      systemctl start systemd-udevd`);
  }

  const addresses = (bridge: string) => stage.hv.run(['ip', '-br', 'address', 'show', bridge]);

  it('are told of our bridges by udev, and of no others', async () => {
    const told = async (bridge: string) =>
      (await stage.hv.run(['udevadm', 'info', '--query=property', `/sys/class/net/${bridge}`])).split('\n');
    expect(await told('br116')).to.include.members(['NM_UNMANAGED=1', 'ID_NET_MANAGED_BY=hnet']);
    expect((await told('plain')).filter(line => /^NM_|MANAGED/.test(line))).to.deep.equal([]);
  });

  it('NetworkManager takes the bridge of others for its own, and leaves ours', async () => {
    await stage.hv.run(['systemctl', 'start', 'NetworkManager']);
    const state = (bridge: string) =>
      stage.hv.run(['nmcli', '-g', 'GENERAL.STATE', 'device', 'show', bridge]);
    await until(
      async () => (await state('plain')).includes('connected (externally)'),
      PATIENCE,
      'NetworkManager to take a bridge',
    );
    expect(await state('br116')).to.equal('10 (unmanaged)');
    expect((await stage.hv.attempt(['nmcli', 'device', 'disconnect', 'plain'])).code).to.equal(0);
    expect(await addresses('plain')).not.to.include('10.9.9.9');
    expect((await stage.hv.attempt(['nmcli', 'device', 'disconnect', 'br116'])).stderr).to.include(
      'not active',
    );
    expect(await stage.ok('check', 'vm1')).to.equal('Everything is as it should be');
    await stage.hv.run(['systemctl', 'stop', 'NetworkManager']);
  });

  it('systemd-networkd that was told to configure all bridges configures that of others, and leaves ours', async () => {
    expect(await foreseen()).to.deep.equal([]);
    await stage.ok('sync');
    await stage.hv.write(
      '/etc/systemd/network/20-all.network',
      '[Match]\nKind=bridge\n[Network]\nAddress=10.8.8.8/24\n',
    );
    const before = await addresses('br116');
    await stage.hv.run(['systemctl', 'start', 'systemd-networkd']);
    await until(async () => (await addresses('plain')).includes('10.8.8.8'), PATIENCE, 'networkd');
    await stage.hv.run(['networkctl', 'reconfigure', 'br116']);
    expect(await stage.hv.run(['networkctl', 'status', 'br116'])).to.match(/State: .*\(unmanaged\)/);
    expect(await addresses('br116')).to.equal(before);
    expect(await stage.hv.run(['ip', 'route', 'show', IP])).to.include('dev br116');
  });

  it("systemd-networkd has deleted hnet's blackholes, as doctor says, and doesn't after what doctor says to do", async () => {
    const held = async () =>
      (await stage.hv.run(['ip', 'route', 'show', 'type', 'blackhole'])).includes('123.45.90.112/29');
    expect(await held()).to.equal(false);
    const [finding, ...more] = await foreseen();
    expect(more).to.deep.equal([]);
    expect(finding?.what).to.include('ManageForeignRoutes, ManageForeignRoutingPolicyRules');
    await stage.hv.sh(finding?.mend ?? 'false');
    expect(await foreseen()).to.deep.equal([]);
    await stage.ok('sync');
    // One that it has not configured yet: when that is done, what it deletes is deleted.
    await stage.hv.run(['ip', 'link', 'add', 'another', 'type', 'bridge']);
    await until(async () => (await addresses('another')).includes('10.8.8.8'), PATIENCE, 'networkd');
    expect(await held()).to.equal(true);
  });

  /** What doctor says of networkd. */
  async function foreseen(): Promise<{ what: string; mend: string }[]> {
    const { stdout } = await stage.hnet('doctor', '--json');
    const { findings } = JSON.parse(stdout) as { findings: { what: string; mend: string }[] };
    return findings.filter(({ what }) => what.startsWith('systemd-networkd'));
  }

  it('systemd-networkd lays hands on ours where the rule is missing', async () => {
    await stage.hv.sh(`rm /usr/lib/udev/rules.d/60-hnet.rules; udevadm control --reload
      udevadm trigger --settle --subsystem-match=net --attr-match=netdev_group=26734
      networkctl reconfigure br116`);
    await until(async () => (await addresses('br116')).includes('10.8.8.8'), PATIENCE, 'networkd');
    expect((await stage.hnet('check')).code).not.to.equal(0);
  });
});
