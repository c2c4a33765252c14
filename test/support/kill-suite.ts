import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ATTACHMENTS_DIRECTORY } from '../../src/model/names.ts';
import { until } from '../lab/wait.ts';
import { COMMAND, HOOK } from './build.ts';
import { hnet, ok } from './command.ts';
import { domainXml, uuidOf } from './domain.ts';
import { FakeLibvirt } from './libvirt.ts';
import type { Scene } from './scene.ts';
import { comparable, difference, snapshot } from './snapshot.ts';
import { kernelSuite, type NewScene } from './suite.ts';

const KILLER = fileURLToPath(new URL('killer.cjs', import.meta.url));
const ADDRESSES = ['123.45.90.116', '123.45.53.12'];
const SCRIPT = `${ATTACHMENTS_DIRECTORY}/${uuidOf('vm1')}.sh`;
const XML = domainXml('vm1', { addresses: ADDRESSES });
const LIMIT = 3_600_000;
/** How long a difference may last, in milliseconds. */
const SETTLED = 60_000;

type Steps = (last: number) => number[];

/** What comes after a hook that was killed, and must leave nothing of it. */
const NEXT: Readonly<Record<string, (one: Scene) => Promise<unknown>>> = {
  'the next start and stop': async one => {
    await one.prepare('vm1', ADDRESSES);
    await one.release('vm1');
  },
  'the next stop': one => one.release('vm1', { addresses: ADDRESSES }),
  'the next sync': one => ok(one, 'sync'),
};

/** Which steps of 1 to `last` a test is to be killed at; `index` tells the tests apart that run side by side. */
export type Choice = (last: number, index: number) => number[];

export const everyStep: Choice = last => Array.from({ length: last }, (_, index) => index + 1);
/** The first, the last, and each third: three tests of one series have all of its steps between them. */
export const eachThird: Choice = (last, index) =>
  everyStep(last, index).filter(step => step === 1 || step === last || step % 3 === index % 3);

/**
 * The steps aren't listed here: a run that isn't killed tells how many there are. A command that carries out one line
 * after the other is also killed after each of them.
 */
export function killSuite(choice: Choice): void {
  const chosen =
    (index: number): Steps =>
    last =>
      choice(last, index);
  kernelSuite('a hook that is killed with SIGKILL', scene => {
    it(`at each step of a start: ${Object.keys(NEXT).join(', ')}, each leaves nothing`, () =>
      sideBySide(scene, NEXT, async (one, next, index) => {
        const { base } = await prepared(one);
        const steps = await eachStep(one, hookWords('prepare'), chosen(index), async () => {
          await next(one);
          await expectOnly(one, base);
        });
        expect(steps).to.be.greaterThan(30);
        await one.release('vm1', { addresses: ADDRESSES });
      })).timeout(LIMIT);

    it(`at each step of a stop: ${Object.keys(NEXT).join(', ')}, each leaves nothing`, () =>
      sideBySide(scene, NEXT, async (one, next, index) => {
        const { base } = await prepared(one);
        // Without traffic there is nothing to write down at a stop.
        const run = async () => {
          await one.prepare('vm1', ADDRESSES);
          await one.host.sh(`ipset -exist add hnet4-in ${ADDRESSES[0]} packets 7 bytes 420`);
        };
        await run();
        const steps = await eachStep(one, hookWords('release'), chosen(index), async () => {
          await next(one);
          await expectOnly(one, base);
          await run();
        });
        expect(steps).to.be.greaterThan(20);
        await one.release('vm1', { addresses: ADDRESSES });
        await expectOnly(one, base);
      })).timeout(LIMIT);

    it(`before each command of a stop's script: ${Object.keys(NEXT).join(', ')}, each leaves nothing`, () =>
      sideBySide(scene, NEXT, async (one, next, index) => {
        const { base } = await prepared(one);
        await one.prepare('vm1', ADDRESSES);
        const commands = commandsOf(await one.host.read(SCRIPT)).length;
        for (const nth of choice(commands, index)) {
          await one.prepare('vm1', ADDRESSES);
          await one.host.write(SCRIPT, cutShort(await one.host.read(SCRIPT), nth));
          expect((await one.host.attempt(['sh', SCRIPT])).code, `before command ${nth}`).not.to.equal(0);
          await next(one);
          await expectOnly(one, base, `before command ${nth}`);
        }
        await one.prepare('vm1', ADDRESSES);
        expect(commands).to.be.greaterThan(10);
        await one.release('vm1');
        await expectOnly(one, base);
      })).timeout(LIMIT);

    const wholeAfter = {
      'the very first start, which makes the base as well: the next start': firstStart,
      'a repair at reconnect: the next sync': (one: Scene, steps: Steps) =>
        repairing(one, hookWords('reconnect'), steps),
      'a sync: the next sync': (one: Scene, steps: Steps) => repairing(one, [COMMAND, 'sync'], steps),
    };
    it(`at each step of ${Object.keys(wholeAfter).join('; of ')} has everything`, () =>
      sideBySide(scene, wholeAfter, (one, test, index) => test(one, chosen(index)))).timeout(LIMIT);
  });
}

/** Where the commands of a stop's script are, among its lines. */
function commandsOf(script: string): number[] {
  const lines = script.trimEnd().split('\n');
  return lines.flatMap((line, index) => {
    const isInput = lines.slice(0, index).filter(one => /<<'END'|^END$/.test(one)).length % 2 === 1;
    return isInput || line === 'END' || index < lines.indexOf('# The release itself.') ? [] : [index];
  });
}

/** The script of a stop, to be killed before one of its commands. */
function cutShort(script: string, nth: number): string {
  const at = commandsOf(script)[nth - 1] ?? 0;
  return script.split('\n').toSpliced(at, 0, 'kill -KILL $$').join('\n');
}

/** What waits for so many processes takes half the time when it is done on several hosts at a time. */
async function sideBySide<T>(
  scene: NewScene,
  cases: Readonly<Record<string, T>>,
  work: (one: Scene, each: T, index: number) => Promise<void>,
): Promise<void> {
  await Promise.all(
    Object.entries(cases).map(async ([what, each], index) => {
      const one = await scene({ name: `h${index + 1}` });
      await work(one, each, index).catch((error: Error) => {
        throw new Error(`${what}: ${error.message}`, { cause: error });
      });
    }),
  );
}

async function firstStart(one: Scene, chosen: Steps): Promise<void> {
  const libvirt = await FakeLibvirt.create(one);
  await libvirt.run('vm1', { addresses: ADDRESSES });
  const nothing = async () => {
    await one.release('vm1');
    await one.baseDown();
  };
  await one.prepare('vm1', ADDRESSES);
  const whole = await wholeState(one);
  await nothing();
  const steps = await eachStep(one, hookWords('prepare'), chosen, async () => {
    await one.prepare('vm1', ADDRESSES);
    await expectLike(whole, () => comparable(one.host));
    await nothing();
  });
  expect(steps).to.be.greaterThan(50);
}

async function repairing(one: Scene, words: readonly string[], chosen: Steps): Promise<void> {
  const { libvirt } = await prepared(one);
  await libvirt.run('vm1', { addresses: ADDRESSES });
  const harm = () =>
    one.host.sh(
      'ip link del br116 || true; rm -rf /run/hnet/attachments; iptables -t mangle -F; ipset flush',
    );
  await one.prepare('vm1', ADDRESSES);
  await harm();
  await ok(one, 'sync');
  const whole = await wholeState(one);
  await harm();
  const steps = await eachStep(one, words, chosen, async () => {
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

/** Kills at the chosen steps, and lets `after` clean up; gives back how many steps there are. */
async function eachStep(
  one: Scene,
  words: readonly string[],
  chosen: Steps,
  after: () => Promise<void>,
): Promise<number> {
  const attempt = (mode: string, nth: number) =>
    one.host.attempt(['env', '-i', `HNET_KILL=${mode} ${nth}`, process.execPath, '-r', KILLER, ...words], {
      input: XML,
    });
  // The very first run takes steps that no later one takes: it makes directories that stay.
  await attempt('before', 0);
  await after();
  let steps = 0;
  for (const mode of ['before', 'between']) {
    const { code, stderr } = await attempt(mode, 0);
    const [, counted] = /^steps (\d+)$/m.exec(stderr) ?? [];
    if (code !== 0 || counted === undefined) throw new Error(`${mode}: code ${code}: ${stderr}`);
    const last = Number(counted);
    await after();
    for (const nth of chosen(last)) {
      const killed = await attempt(mode, nth);
      if (!/^\s*Command was killed with SIGKILL/.test(killed.stderr))
        throw new Error(`${mode} ${nth}: code ${killed.code}: ${killed.stderr}`);
      await after().catch((error: Error) => {
        throw new Error(`killed ${mode} ${nth}: ${error.message}`, { cause: error });
      });
    }
    steps += last;
  }
  return steps;
}
