import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { expectRefusal } from '../support/refusal.ts';
import { REAL, type Scene } from '../support/scene.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

const FAILURE = /^Cannot run ".*": (.*; )?a made-up failure/;
const ADDRESSES = ['123.45.90.116', '123.45.53.12'];

/** A tool that fails at its nth call, having done the first line of what it was asked. */
const failing = (tool: string, nth: number) => `
echo called >>/run/lab/${tool}.calls
[ "$(wc -l </run/lab/${tool}.calls)" = ${nth} ] || exec ${REAL}/${tool} "$@"
case $* in *-batch*|*restore*) head -n 1 | ${REAL}/${tool} "$@" ;; esac
echo "a made-up failure" >&2
exit 1`;

/** More calls than a start makes of a tool. */
const MANY = 20;

kernelSuite('a failure halfway through a start leaves nothing behind', scene => {
  // The base stands already; without it there would be more calls, see below.
  for (const tool of ['ip', 'ipset', 'dnsmasq', 'iptables-save']) {
    it(`whichever call of ${tool} it is`, async () => {
      const one = await scene();
      await one.base();
      await one.replace(`/usr/sbin/${tool}`, 'exit 1');
      const before = await snapshot(one.host);
      let nth = 1;
      for (; nth < MANY; nth++) {
        await fake(one, tool, failing(tool, nth));
        const outcome = await one.attemptPrepare('vm1', ADDRESSES);
        // A tool that fails to show what stands is no reason not to start: then all is set up anew.
        if (outcome.code !== 0) expectRefusal(outcome, 'vm1', FAILURE);
        const reached = (await one.host.read(`/run/lab/${tool}.calls`)).split('\n').length >= nth;
        await fake(one, tool, `exec ${REAL}/${tool} "$@"`);
        await one.release('vm1');
        await expectUnchanged(one.host, before, `failure of call ${nth}`);
        if (!reached) break;
      }
      expect(nth).to.be.within(2, MANY - 1);
    });
  }

  async function fake({ host }: Scene, tool: string, script: string): Promise<void> {
    await host.write(`/usr/sbin/${tool}`, `#!/bin/sh\n${script}\n`);
    await host.run(['rm', '-f', `/run/lab/${tool}.calls`]);
  }

  it('iptables-restore fails while the base is set up; the next start makes up for it', async () => {
    const one = await scene();
    await one.replace('/usr/sbin/iptables-restore', failing('iptables-restore', 2));
    expectRefusal(await one.attemptPrepare('vm1', ADDRESSES), 'vm1', /a made-up failure/);
    const left = await one.host.sh('ip address; ip route; find /run/hnet; ipset save');
    expect(left).not.to.match(/br116|\.json|123\.45\.90\.116|172\.30\.116/);
    await one.prepare('vm1', ADDRESSES);
  });

  it('the disk is full when the attachment is written', async () => {
    const one = await scene();
    await one.base();
    await one.host.sh(`mount -t tmpfs -o size=4k tmpfs /run/hnet; mkdir /run/hnet/attachments
      cat /dev/zero >/run/hnet/filler 2>/dev/null || true`);
    const before = await snapshot(one.host);
    expectRefusal(
      await one.attemptPrepare('vm1', ADDRESSES),
      'vm1',
      /^Cannot write \/run\/hnet\/\S+: ENOSPC/,
    );
    await expectUnchanged(one.host, before);
  });

  it('no file can be made at all', async () => {
    const one = await scene();
    await one.base();
    await one.host.sh('mount -t tmpfs -o nr_inodes=1 tmpfs /run/hnet');
    const before = await snapshot(one.host);
    expectRefusal(await one.attemptPrepare('vm1', ADDRESSES), 'vm1', /ENOSPC.*\/run\/hnet\//);
    await expectUnchanged(one.host, before);
  });

  it('the disk is full where leases and counters are kept', async () => {
    const one = await scene();
    await one.base();
    await one.host.sh('mkdir -p /var/lib/hnet; mount -t tmpfs -o nr_inodes=1 tmpfs /var/lib/hnet');
    const before = await snapshot(one.host);
    expectRefusal(await one.attemptPrepare('vm1', ADDRESSES), 'vm1', /ENOSPC.*\/var\/lib\/hnet\//);
    await expectUnchanged(one.host, before);
  });
});

kernelSuite('a hook that is killed', scene => {
  for (const next of ['release', 'prepare'] as const) {
    it(`leaves what its domain's next ${next} cleans up`, async () => {
      const one = await scene();
      await one.base();
      const before = await snapshot(one.host);
      await killedAt(one, 'dnsmasq');
      expect(await snapshot(one.host)).to.contain('br116');
      if (next === 'prepare') await one.prepare('vm1', ['123.45.90.117']);
      await one.release('vm1');
      await expectUnchanged(one.host, before);
    });
  }

  it('takes its locks along, even while a child of its own lives on', async () => {
    const one = await scene();
    // Without the base, sets are made under the lock that all starts take.
    await killedAt(one, 'ipset', async () => {
      // A lock that it hadn't taken along would be refused to this one, whose deadline is short of the child's end.
      await one.prepare('vm2', ['123.45.90.117']);
    });
  });

  /** Starts vm1, kills the hook while it waits for a tool, and ends that tool, which has done nothing. */
  async function killedAt(one: Scene, tool: string, meanwhile?: () => Promise<void>): Promise<void> {
    const waits = 'touch /run/lab/waits; while [ ! -e /run/lab/go ]; do sleep 0.02; done; exit 1';
    await one.replace(`/usr/sbin/${tool}`, waits);
    const started = one.attemptPrepare('vm1', ADDRESSES);
    await until(
      async () => (await one.host.attempt(['test', '-e', '/run/lab/waits'])).code === 0,
      PATIENCE,
      tool,
    );
    await one.host.run(['pkill', '-KILL', '-f', 'qemu.cjs vm1']);
    await one.restore(`/usr/sbin/${tool}`);
    await meanwhile?.();
    await one.host.run(['touch', '/run/lab/go']);
    await started;
  }
});
