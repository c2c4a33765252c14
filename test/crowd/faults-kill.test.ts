import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ATTACHMENTS_DIRECTORY } from '../../src/model/names.ts';
import { until } from '../lab/wait.ts';
import { COMMAND, HOOK } from '../support/build.ts';
import { hnet, ok } from '../support/command.ts';
import { domainXml, uuidOf } from '../support/domain.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import type { Scene } from '../support/scene.ts';
import { comparable, difference, snapshot } from '../support/snapshot.ts';
import { kernelSuite, type NewScene } from '../support/suite.ts';

const KILLER = fileURLToPath(new URL('../support/killer.cjs', import.meta.url));
const ADDRESSES = ['123.45.90.116', '123.45.53.12'];
const SCRIPT = `${ATTACHMENTS_DIRECTORY}/${uuidOf('vm1')}.sh`;
const XML = domainXml('vm1', { addresses: ADDRESSES });
/** More steps than anything here takes. */
const MANY = 150;
const LIMIT = 3_600_000;
/** How long a difference may last, in milliseconds. */
const SETTLED = 60_000;

/** What comes after a hook that was killed, and must leave nothing of it. */
const NEXT: Readonly<Record<string, (one: Scene) => Promise<unknown>>> = {
  'the next start and stop': async one => {
    await one.prepare('vm1', ADDRESSES);
    await one.release('vm1');
  },
  'the next stop': one => one.release('vm1', { addresses: ADDRESSES }),
  'the next sync': one => ok(one, 'sync'),
};

/**
 * The steps aren't listed here: a program is killed at its first, its second, and so on, until it comes through. A
 * command that carries out one line after the other is also killed after each of them.
 */
kernelSuite('a hook that is killed with SIGKILL', scene => {
  it(`at each step of a start: ${Object.keys(NEXT).join(', ')}, each leaves nothing`, () =>
    sideBySide(scene, NEXT, async (one, next) => {
      const { base } = await prepared(one);
      const steps = await eachStep(one, hookWords('prepare'), async () => {
        await next(one);
        await expectOnly(one, base);
      });
      expect(steps).to.be.greaterThan(30);
      await one.release('vm1', { addresses: ADDRESSES });
    })).timeout(LIMIT);

  it(`at each step of a stop: ${Object.keys(NEXT).join(', ')}, each leaves nothing`, () =>
    sideBySide(scene, NEXT, async (one, next) => {
      const { base } = await prepared(one);
      // Without traffic there is nothing to write down at a stop.
      const run = async () => {
        await one.prepare('vm1', ADDRESSES);
        await one.host.sh(`ipset -exist add hnet4-in ${ADDRESSES[0]} packets 7 bytes 420`);
      };
      await run();
      const steps = await eachStep(one, hookWords('release'), async () => {
        await next(one);
        await expectOnly(one, base);
        await run();
      });
      expect(steps).to.be.greaterThan(20);
      await expectOnly(one, base);
    })).timeout(LIMIT);

  it(`before each command of a stop's script: ${Object.keys(NEXT).join(', ')}, each leaves nothing`, () =>
    sideBySide(scene, NEXT, async (one, next) => {
      const { base } = await prepared(one);
      let nth = 0;
      for (; ; nth++) {
        await one.prepare('vm1', ADDRESSES);
        const short = cutShort(await one.host.read(SCRIPT), nth);
        if (short === undefined) break;
        await one.host.write(SCRIPT, short);
        expect((await one.host.attempt(['sh', SCRIPT])).code, `before command ${nth}`).not.to.equal(0);
        await next(one);
        await expectOnly(one, base, `before command ${nth}`);
      }
      expect(nth).to.be.greaterThan(10);
      await one.release('vm1');
      await expectOnly(one, base);
    })).timeout(LIMIT);

  const wholeAfter = {
    'the very first start, which makes the base as well: the next start': firstStart,
    'a repair at reconnect: the next sync': (one: Scene) => repairing(one, hookWords('reconnect')),
    'a sync: the next sync': (one: Scene) => repairing(one, [COMMAND, 'sync']),
  };
  it(`at each step of ${Object.keys(wholeAfter).join('; of ')} has everything`, () =>
    sideBySide(scene, wholeAfter, (one, test) => test(one))).timeout(LIMIT);
});

/** The script of a stop, to be killed before one of its commands; undefined where it has no more. */
function cutShort(script: string, nth: number): string | undefined {
  const lines = script.trimEnd().split('\n');
  const commands = lines.flatMap((line, index) => {
    const isInput = lines.slice(0, index).filter(one => /<<'END'|^END$/.test(one)).length % 2 === 1;
    return isInput || line === 'END' || index < lines.indexOf('# The release itself.') ? [] : [index];
  });
  const at = commands[nth];
  return at === undefined ? undefined : lines.toSpliced(at, 0, 'kill -KILL $$').join('\n');
}

/** What waits for so many processes takes half the time when it is done on several hosts at a time. */
async function sideBySide<T>(
  scene: NewScene,
  cases: Readonly<Record<string, T>>,
  work: (one: Scene, each: T) => Promise<void>,
): Promise<void> {
  await Promise.all(
    Object.entries(cases).map(async ([what, each], index) => {
      const one = await scene({ name: `h${index + 1}` });
      await work(one, each).catch((error: Error) => {
        throw new Error(`${what}: ${error.message}`, { cause: error });
      });
    }),
  );
}

async function firstStart(one: Scene): Promise<void> {
  const libvirt = await FakeLibvirt.create(one);
  await libvirt.run('vm1', { addresses: ADDRESSES });
  const nothing = async () => {
    await one.release('vm1');
    await one.baseDown();
  };
  await one.prepare('vm1', ADDRESSES);
  const whole = await wholeState(one);
  await nothing();
  const steps = await eachStep(one, hookWords('prepare'), async () => {
    await one.prepare('vm1', ADDRESSES);
    await expectLike(whole, () => comparable(one.host));
    await nothing();
  });
  expect(steps).to.be.greaterThan(50);
}

async function repairing(one: Scene, words: readonly string[]): Promise<void> {
  const { libvirt } = await prepared(one);
  await libvirt.run('vm1', { addresses: ADDRESSES });
  const harm = () =>
    one.host.sh('ip link del br116 || true; rm -rf /run/hnet/attachments; iptables -F; ipset flush');
  await one.prepare('vm1', ADDRESSES);
  await harm();
  await ok(one, 'sync');
  const whole = await wholeState(one);
  await harm();
  const steps = await eachStep(one, words, async () => {
    await ok(one, 'sync');
    await expectLike(whole, () => comparable(one.host));
    await harm();
  });
  expect(steps).to.be.greaterThan(20);
}

/** How a host looks on which nothing is wrong: asking `hnet check` once will do, and takes longer than to look. */
async function wholeState(one: Scene): Promise<string> {
  expect(await hnet(one, 'check')).to.include({ code: 0, stdout: 'Everything is as it should be' });
  return comparable(one.host);
}

/** The host is as it was; what the killed one had started may yet have to end. */
async function expectOnly(one: Scene, before: string, what = 'the host'): Promise<void> {
  await expectLike(before, () => snapshot(one.host), what);
}

async function expectLike(wanted: string, look: () => Promise<string>, what = 'the host'): Promise<void> {
  let found: string[] = [];
  const same = async () => {
    found = difference(wanted, await look());
    return found.length === 0;
  };
  await until(same, SETTLED, what).catch((error: Error) => {
    throw new Error(`${error.message}\n${found.join('\n')}`);
  });
}

const hookWords = (operation: string): string[] => [HOOK, 'vm1', operation, 'begin', '-'];

async function prepared(one: Scene) {
  const libvirt = await FakeLibvirt.create(one);
  await one.base();
  return { libvirt, base: await snapshot(one.host) };
}

/** Kills at every step, and lets `after` clean up; gives back how many steps there were. */
async function eachStep(one: Scene, words: readonly string[], after: () => Promise<void>): Promise<number> {
  let steps = 0;
  for (const mode of ['before', 'between']) {
    for (let nth = 1; ; nth++) {
      expect(nth).to.be.below(MANY);
      const argv = ['env', '-i', `HNET_KILL=${mode} ${nth}`, process.execPath, '-r', KILLER, ...words];
      const { code, stderr } = await one.host.attempt(argv, { input: XML });
      if (code === 0) {
        steps += nth - 1;
        break;
      }
      if (!/^\s*Command was killed with SIGKILL/.test(stderr))
        throw new Error(`${mode} ${nth}: code ${code}: ${stderr}`);
      await after().catch((error: Error) => {
        throw new Error(`killed ${mode} ${nth}: ${error.message}`, { cause: error });
      });
    }
  }
  return steps;
}
