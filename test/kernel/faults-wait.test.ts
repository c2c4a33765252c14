import { expect } from 'chai';
import { PATIENCE } from '../lab/wait.ts';
import { expectRefusal } from '../support/refusal.ts';
import type { Scene } from '../support/scene.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

const ADDRESSES = ['123.45.90.116', '123.45.53.12'];

/** Hangs for longer than anybody waits. Not exec: it is a child of the child, which keeps the outputs open. */
const HANGS = 'sleep 600; exit 1';
/** Answers questions, and hangs when it is to change something. */
const HANGS_LATER = `case $* in *-json*) exec /run/lab/real/ip "$@" ;; esac\n${HANGS}`;

/** What the hook waits for in vain → what it says. */
const CASES: Readonly<Record<string, { readonly why: RegExp; readonly block: Block }>> = {
  'the lock that a sync holds': {
    why: /^Cannot lock \/run\/hnet\/sync\.lock: another hnet process held it for (20\.0|1\d\.\d) s$/,
    block: holding('sync'),
  },
  'the lock of another start': {
    why: /^Cannot lock \/run\/hnet\/claims\.lock: another hnet process held it for \d+\.\d s$/,
    block: holding('claims'),
  },
  'ip, when it asks what is': {
    why: /^Cannot run "ip -json .*": no answer within 10\.0 s/,
    block: faking('ip', HANGS),
  },
  'ip, when it changes something, and when it would undo that': {
    why: /^Cannot run "ip -batch -": no answer within \d+\.\d s; then /,
    block: faking('ip', HANGS_LATER),
  },
  ipset: { why: /^Cannot run "ipset .*": no answer within \d+\.\d s/, block: faking('ipset', HANGS) },
  dnsmasq: { why: /^Cannot run "dnsmasq .*": no answer within \d+\.\d s/, block: faking('dnsmasq', HANGS) },
};

/** Puts something in the way, and gives back how it goes away again. */
type Block = (one: Scene) => Promise<() => Promise<unknown>>;

function holding(lock: string): Block {
  return async ({ host }) => {
    const holder = host.start([
      'flock',
      '--no-fork',
      `/run/hnet/${lock}.lock`,
      'sh',
      '-c',
      'echo held; exec sleep 600',
    ]);
    await holder.until(/held/, PATIENCE);
    return () => holder.stop('SIGKILL');
  };
}

function faking(tool: string, script: string): Block {
  return async one => {
    await one.replace(`/usr/sbin/${tool}`, script);
    return async () => {
      await one.restore(`/usr/sbin/${tool}`);
      await one.host.attempt(['pkill', '-KILL', '-f', '^sleep 600']);
    };
  };
}

/** libvirt waits for the hook without a limit of its own, with the domain locked: so the hook has one, of 30 seconds. */
kernelSuite('a hook that waits in vain', scene => {
  // Each waits for seconds and does nothing, so they wait together.
  it('gives up inside of its deadline, with one line, and is no matter to the next start', async () => {
    await Promise.all(
      Object.entries(CASES).map(async ([what, { why, block }], index) => {
        const one = await scene({ name: `h${index + 1}` });
        await one.base();
        const before = await snapshot(one.host);
        const unblock = await block(one);
        // The call itself has a limit, of minutes.
        const outcome = await one.attemptPrepare('vm1', ADDRESSES);
        await unblock();
        expect(outcome.code, what).to.equal(1);
        expectRefusal(outcome, 'vm1', why);
        await one.prepare('vm1', ADDRESSES);
        await one.release('vm1');
        await expectUnchanged(one.host, before, what);
      }),
    );
  }).timeout(900_000);
});
