import { expect } from 'chai';
import {
  ATTACHMENTS_DIRECTORY,
  JOURNAL_DIRECTORY,
  RUN_DIRECTORY,
  STATE_DIRECTORY,
} from '../../src/model/names.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { hnet } from '../support/command.ts';
import { assignmentXml, uuidOf } from '../support/domain.ts';
import { FakeLibvirt, pluggedXml } from '../support/libvirt.ts';
import type { Scene } from '../support/scene.ts';
import { difference, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

/** What may stand in the place of a file, as a script makes it at `$1`. */
const STRANGERS: Readonly<Record<string, string>> = {
  'a pipe': 'mkfifo "$1"',
  'a directory': 'mkdir "$1"',
  'a dangling link': 'ln -s /root/elsewhere "$1"',
  'an endless device': 'mknod "$1" c 1 5',
};
const [ONE, OTHER] = ['123.45.90.116', '123.45.90.117'];
const LOCK = `${RUN_DIRECTORY}/sync.lock`;
const TALLY = `${STATE_DIRECTORY}/addresses/${OTHER}-32.tally`;
const JOURNAL = `${JOURNAL_DIRECTORY}/${new Date().toISOString().slice(0, 7)}.jsonl`;
const xmlOf = (name: string, ip: string): string =>
  pluggedXml(name, { metadata: assignmentXml(uuidOf(name), [ip]) });

kernelSuite("whatever stands in the place of hnet's own files", (_, share) => {
  const shared = share(async scene => running(await scene()));

  const put = (one: Scene, what: string, places: readonly string[]): Promise<string> =>
    one.host.sh(
      `put() { rm -rf "$1"; ${STRANGERS[what]}; }\n${places.map(one => `put '${one}'`).join('\n')}`,
    );

  const expectNothingElsewhere = async ({ host }: Scene) =>
    expect((await host.attempt(['test', '-e', '/root/elsewhere'])).code).to.equal(1);

  for (const what of Object.keys(STRANGERS)) {
    it(`is repaired by one sync: ${what}`, async () => {
      const { one, before } = await shared();
      const files = await filesOf(one);
      expect(files.length).to.be.above(8);
      // Each half of them with the others intact, and all at once.
      const halves = [0, 1].map(half => files.filter((_, at) => at % 2 === half));
      for (const places of [...halves, files.flatMap(file => [file, `${file}~`])]) {
        await put(one, what, places);
        const { stderr } = await hnet(one, 'sync');
        // What was to become a file is of no meaning, and goes when the file is written.
        const left = difference(before, await snapshot(one.host)).filter(line => !line.endsWith('~'));
        expect(left, `${what}: ${places.join(' ')}\n${stderr}`).to.deep.equal([]);
      }
      expect(await hnet(one, 'check')).to.include({ code: 0, stderr: '' });
      await expectNothingElsewhere(one);
    });

    it(`keeps no domain from starting and stopping: ${what} in the journal's place`, async () => {
      const { one } = await shared();
      await put(one, what, [JOURNAL]);
      await one.prepare('vm2', [OTHER]);
      expect(await said(one, 1)).to.deep.equal(['start vm2']);
      await put(one, what, [JOURNAL, TALLY]);
      await one.release('vm2', {}, '/run/lab/no-such-node');
      expect(await said(one, 1)).to.deep.equal(['stop vm2']);
      expect(await one.host.run(['stat', '-c', '%F', TALLY])).to.equal('regular file');
      await expectNothingElsewhere(one);
    });

    it(`lets no stop wait: ${what} in the place of the lock, the script or the attachment`, async () => {
      const { one } = await shared();
      const attachment = `${ATTACHMENTS_DIRECTORY}/${uuidOf('vm2')}`;
      await one.prepare('vm2', [OTHER]);
      const started = await snapshot(one.host);
      await put(one, what, [LOCK]);
      // The program does it then; 124 would be a script that had to be ended.
      const { code } = await one.host.attempt(['timeout', '100', 'sh', `${attachment}.sh`]);
      expect(code).to.equal(1);
      expect(await snapshot(one.host)).to.equal(started);
      await one.host.sh(`rm -rf ${LOCK}`);
      for (const place of [`${attachment}.sh`, `${attachment}.json`]) {
        await put(one, what, [place]);
        await one.release('vm2');
        await one.prepare('vm2', [OTHER]);
      }
      await one.release('vm2');
    });
  }
});

async function running(one: Scene) {
  const libvirt = await FakeLibvirt.create(one);
  await one.base();
  await one.hook('prepare', 'vm1', xmlOf('vm1', ONE));
  await libvirt.run('vm1', { metadata: assignmentXml(uuidOf('vm1'), [ONE]) });
  // A record that is rebuilt has no script: its release is the program's.
  await one.host.sh(`rm ${ATTACHMENTS_DIRECTORY}/*.sh`);
  await hnet(one, 'sync');
  return { one, before: await snapshot(one.host) };
}

/** Those that hnet has now; a place of no file's, as of a lock, is none. */
async function filesOf({ host }: Scene): Promise<string[]> {
  const found = await host.sh(`find ${RUN_DIRECTORY} ${STATE_DIRECTORY} ! -type d ! -name '*.lock' | sort`);
  return found.split('\n');
}

/** What the journal says, once it has so many lines. */
async function said({ host }: Scene, lines: number): Promise<string[]> {
  const read = async () =>
    (await host.sh(`test ! -f ${JOURNAL} || cat ${JOURNAL}`)).split('\n').filter(Boolean);
  await until(async () => (await read()).length >= lines, PATIENCE, 'the journal to go on');
  return (await read()).map(line => {
    const { is, domain } = JSON.parse(line);
    return `${is} ${domain}`;
  });
}
