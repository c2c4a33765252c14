import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { changes, type Snapshot, snapshot } from './snapshot.ts';
import { Stage } from './stage.ts';

const GO = '/root/go';
const WAITS = '/root/waits';

/** What becomes of a start when libvirtd dies under it, or its hook hangs. */
describe('libvirtd, while the hook runs,', () => {
  const stage = new Stage();
  let base: Snapshot;

  before(async () => {
    await stage.hv.vm({ name: 'vm1', nic: { type: 'bridge', source: 'br116' }, boots: false });
    await stage.hv.vm({ name: 'other', nics: [], boots: false });
    await stage.ok('assign', 'vm1', '123.45.90.116');
    base = await snapshot(stage.hv);
  });

  /** Puts a script in a tool's place, for the time of some work. */
  async function replaced<T>(tool: string, script: string, work: () => Promise<T>): Promise<T> {
    await stage.hv.sh(`mv /usr/sbin/${tool} /usr/sbin/${tool}.away`);
    await stage.hv.write(`/usr/sbin/${tool}`, `#!/bin/sh\n${script}\n`);
    await stage.hv.run(['chmod', '755', `/usr/sbin/${tool}`]);
    try {
      return await work();
    } finally {
      await stage.hv.run(['mv', `/usr/sbin/${tool}.away`, `/usr/sbin/${tool}`]);
    }
  }

  const exists = async (path: string) => (await stage.hv.attempt(['test', '-e', path])).code === 0;
  const hookRuns = async () => (await stage.hv.attempt(['pgrep', '-f', 'qemu.cjs vm1 prepare'])).code === 0;

  /** libvirtd is killed while the hook of a start waits for a tool; then the hook comes to its end without it. */
  async function killedWhile(tool: string): Promise<void> {
    const waiting = `touch ${WAITS}; while [ ! -e ${GO} ]; do sleep 0.02; done; exec /usr/sbin/${tool}.away "$@"`;
    await stage.hv.run(['rm', '-f', GO, WAITS]);
    await replaced(tool, waiting, async () => {
      const starting = stage.hv.attempt(['virsh', '-q', 'start', 'vm1']);
      await until(() => exists(WAITS), PATIENCE, `the hook to call ${tool}`);
      // systemd starts nothing anew that has died five times in ten seconds, and on a quick machine these tests are that quick.
      await stage.hv.sh('systemctl reset-failed libvirtd; kill -KILL $(pidof libvirtd)');
      expect((await starting).code).to.equal(1);
      await stage.hv.run(['touch', GO]);
      await until(async () => !(await hookRuns()), PATIENCE, 'the end of the hook');
    });
    await until(
      async () => (await stage.hv.attempt(['virsh', '-q', 'list'])).code === 0,
      PATIENCE,
      'libvirtd',
    );
    expect(await stage.hv.virsh('domstate', 'vm1')).to.equal('shut off');
  }

  for (const tool of ['ip', 'ipset', 'dnsmasq']) {
    it(`is killed (${tool} is at work): the next start succeeds, and the next stop leaves nothing`, async () => {
      await killedWhile(tool);
      await stage.hv.virsh('start', 'vm1');
      expect(await stage.ok('check')).to.equal('Everything is as it should be');
      await stage.hv.virsh('destroy', 'vm1');
      expect(await changes(stage.hv, base)).to.deep.equal([]);
    });

    it(`is killed (${tool} is at work): sync takes away what the start had made`, async () => {
      await killedWhile(tool);
      expect((await stage.hnet('check')).stdout).to.contain('left over');
      await stage.ok('sync');
      expect(await stage.ok('check')).to.equal('Everything is as it should be');
      expect(await changes(stage.hv, base)).to.deep.equal([]);
    });
  }

  it('is no worse for a child of the hook that hangs: one start fails, in one line, and all else goes on', async () => {
    // Not exec: what hangs is a child of the child, which keeps the outputs open.
    const failed = await replaced('ip', `touch ${WAITS}; sleep 600`, async () => {
      await stage.hv.run(['rm', '-f', WAITS]);
      const starting = stage.hv.attempt(['virsh', '-q', 'start', 'vm1']);
      await until(() => exists(WAITS), PATIENCE, 'the hook to call ip');
      await stage.hv.virsh('start', 'other');
      expect(await stage.hv.virsh('domstate', 'other')).to.equal('running');
      await stage.hv.virsh('destroy', 'other');
      return starting;
    });
    expect(failed.code).to.equal(1);
    const ours = failed.stderr.split('\n').filter(line => line.includes('hnet:'));
    expect(ours, failed.stderr).to.have.length(1);
    expect(ours[0]).to.match(/Cannot start "vm1": Cannot run "ip .*": no answer within 10\.0 s$/);
    await stage.hv.sh('pkill -KILL -f "^sleep 600"');
    expect(await stage.hv.virsh('list', '--name')).to.equal('');
    expect(await changes(stage.hv, base)).to.deep.equal([]);
    await stage.hv.virsh('start', 'vm1');
    await stage.hv.virsh('destroy', 'vm1');
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });
});
