import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { COMMAND, HOOK } from '../support/build.ts';
import { hnet, ok } from '../support/command.ts';
import { domainXml } from '../support/domain.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import type { Scene } from '../support/scene.ts';
import { snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';
import { difference } from '../system/snapshot.ts';

const KILLER = fileURLToPath(new URL('../support/killer.cjs', import.meta.url));
const ADDRESSES = ['123.45.90.116', '123.45.53.12'];
/** More steps than anything here takes. */
const MANY = 150;
const LIMIT = 900_000;

type Next = 'the next start and stop' | 'the next stop' | 'the next sync';
const NEXT: readonly Next[] = ['the next start and stop', 'the next stop', 'the next sync'];

/**
 * The steps aren't listed here: a program is killed at its first, its second, and so on, until it comes through. A
 * command that reads lines is also killed in the middle of them.
 */
kernelSuite('a hook that is killed with SIGKILL', scene => {
  for (const next of NEXT) {
    it(`at each step of a start: ${next} leaves nothing`, async () => {
      const { one, base } = await prepared(await scene());
      const steps = await eachStep(
        one,
        () => hookWords('prepare'),
        async () => {
          await converge(one, next);
          expect(await changes(one, base)).to.deep.equal([]);
        },
      );
      expect(steps).to.be.greaterThan(20);
      await one.release('vm1');
    }).timeout(LIMIT);

    it(`at each step of a stop: ${next} leaves nothing`, async () => {
      const { one, base } = await prepared(await scene());
      await one.prepare('vm1', ADDRESSES);
      const steps = await eachStep(
        one,
        () => hookWords('release'),
        async () => {
          await converge(one, next);
          expect(await changes(one, base)).to.deep.equal([]);
          await one.prepare('vm1', ADDRESSES);
        },
      );
      expect(steps).to.be.greaterThan(10);
      expect(await changes(one, base)).to.deep.equal([]);
    }).timeout(LIMIT);
  }

  it('at each step of the very first start, which makes the base as well: the next start has everything', async () => {
    const one = await scene();
    const libvirt = await FakeLibvirt.create(one);
    await libvirt.run('vm1', { addresses: ADDRESSES });
    const steps = await eachStep(
      one,
      () => hookWords('prepare'),
      async () => {
        await one.prepare('vm1', ADDRESSES);
        expect(await hnet(one, 'check')).to.include({ code: 0, stdout: 'Everything is as it should be' });
        await one.release('vm1');
        await one.baseDown();
      },
    );
    expect(steps).to.be.greaterThan(30);
  }).timeout(LIMIT);

  it('at each step of a repair at reconnect, and sync at each of its own: the next sync completes it', async () => {
    const { one, libvirt } = await prepared(await scene());
    await libvirt.run('vm1', { addresses: ADDRESSES });
    const whole = async () => {
      expect(await hnet(one, 'check')).to.include({ code: 0, stdout: 'Everything is as it should be' });
    };
    for (const words of [hookWords('reconnect'), [COMMAND, 'sync']]) {
      const harm = 'ip link del br116 || true; rm -rf /run/hnet/attachments; iptables -F; ipset flush';
      await one.prepare('vm1', ADDRESSES);
      await one.host.sh(harm);
      const steps = await eachStep(
        one,
        () => words,
        async () => {
          await ok(one, 'sync');
          await whole();
          await one.host.sh(harm);
        },
      );
      expect(steps).to.be.greaterThan(20);
      await ok(one, 'sync');
      await whole();
      await one.release('vm1');
    }
  }).timeout(LIMIT);
});

/** How the host differs from what it was. */
const changes = async ({ host }: Scene, before: string): Promise<string[]> =>
  difference(lasting(before), lasting(await snapshot(host)));

/** A process that has ended and is not yet collected is in brackets. */
const lasting = (text: string): string[] => text.split('\n').filter(line => !/^\[.*\]$/.test(line));

const hookWords = (operation: string): string[] => [HOOK, 'vm1', operation, 'begin', '-'];

async function prepared(one: Scene) {
  const libvirt = await FakeLibvirt.create(one);
  await one.base();
  return { one, libvirt, base: await snapshot(one.host) };
}

/** Kills at every step, and lets `after` clean up; gives back how many steps there were. */
async function eachStep(
  one: Scene,
  words: () => readonly string[],
  after: () => Promise<void>,
): Promise<number> {
  let steps = 0;
  for (const mode of ['before', 'half']) {
    for (let nth = 1; ; nth++) {
      expect(nth).to.be.below(MANY);
      await one.host.write('/run/lab/kill.json', JSON.stringify({ nth, mode }));
      const argv = ['env', '-i', process.execPath, '-r', KILLER, ...words()];
      const xml = domainXml('vm1', { addresses: ADDRESSES });
      const { code, stderr } = await one.host.attempt(argv, { input: xml });
      if (code === 0) {
        steps += nth - 1;
        break;
      }
      expect(stderr, `${mode} ${nth}: code ${code}`).to.match(/^\s*Command was killed with SIGKILL/);
      await after();
    }
  }
  return steps;
}

async function converge(one: Scene, next: Next): Promise<void> {
  if (next === 'the next start and stop') await one.prepare('vm1', ADDRESSES);
  if (next === 'the next sync') await ok(one, 'sync');
  else await one.release('vm1', { addresses: ADDRESSES });
}
