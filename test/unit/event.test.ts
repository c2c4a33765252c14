import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ended } from '../../src/host/errand.ts';
import { programsIn } from '../../src/host/trusted.ts';
import { parsePrefix } from '../../src/model/address.ts';
import { environmentOf, eventsOf, eventTitle } from '../../src/model/event.ts';
import type { Fact } from '../../src/model/journal.ts';
import { breaches } from '../support/promised.ts';

const VM1 = { domain: 'vm1', uuid: 'c64804ab-817f-4cb6-af52-3d0ee8b51463' };
const VM2 = { domain: 'vm2', uuid: '0b4cbbd7-4a5b-4b07-9a3e-1f4bdc4f2b8e' };
const MOMENT = { at: '2026-11-28T17:03:45.123Z', boot: 'a' };
const fact = (is: Fact['is'], more: Partial<Fact> = {}) => ({
  ...MOMENT,
  is,
  address: parsePrefix('123.45.90.116'),
  ...VM1,
  ...more,
});

describe('the events of a line of the journal', () => {
  const moved = (running: boolean, was: boolean) =>
    fact('move', { ...VM2, running, from: { ...VM1, running: was } });
  for (const [entry, expected] of [
    [fact('start'), ['up vm1']],
    [fact('runs'), ['up vm1']],
    [fact('stop'), ['down vm1']],
    [fact('gone'), ['down vm1']],
    [fact('leaves'), ['down vm1']],
    [fact('arrives'), ['up vm1']],
    [fact('stays'), ['up vm1']],
    [fact('assign', { running: false }), ['assign vm1']],
    [fact('assign', { running: true }), ['assign vm1', 'up vm1']],
    [fact('unassign', { running: true }), ['unassign vm1', 'down vm1']],
    [moved(true, true), ['move vm2', 'down vm1', 'up vm2']],
    [moved(false, true), ['move vm2', 'down vm1']],
    [moved(false, false), ['move vm2']],
  ] as const)
    it(`${entry.is}${entry.running === undefined ? '' : `, running: ${entry.running}`}: ${expected.join(', ')}`, () => {
      const events = eventsOf(entry);
      expect(events.map(({ event, domain }) => `${event} ${domain}`)).to.deep.equal(expected);
      for (const one of events) expect(breaches('event', one)).to.equal('');
    });

  it('repaired: with the domain, where it is of one', () => {
    for (const domain of [null, 'vm1']) {
      const [one, ...more] = eventsOf({ ...MOMENT, is: 'repaired', what: 'repaired: br116', domain });
      expect(breaches('event', one)).to.equal('');
      expect(more).to.deep.equal([]);
    }
  });

  it('stand in the environment too, those alone that there are', () => {
    const [move] = eventsOf(moved(true, true));
    expect(move && environmentOf(move)).to.deep.equal({
      HNET_EVENT: 'move',
      HNET_AT: MOMENT.at,
      HNET_ADDRESS: '123.45.90.116',
      HNET_DOMAIN: 'vm2',
      HNET_UUID: VM2.uuid,
      HNET_FROM_DOMAIN: 'vm1',
      HNET_FROM_UUID: VM1.uuid,
    });
    expect(move && eventTitle(move)).to.equal('move of 123.45.90.116 at "vm2"');
  });
});

describe("an operator's programs", () => {
  let root: string;
  beforeEach(() => {
    // Above it everything must be root's alone, which /tmp isn't.
    root = mkdtempSync('/run/hnet-test-');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const program = (name: string, mode = 0o755): string => {
    const file = join(root, name);
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, mode);
    return file;
  };

  it('are run in the order of their names, if they are executable and no leftovers', () => {
    const good = ['10-dns', 'billing.sh', 'z'].map(name => program(name));
    for (const name of ['a~', '.hidden', 'b.bak', 'c.disabled', 'd.dpkg-old']) program(name);
    program('not-executable', 0o644);
    mkdirSync(join(root, 'directory'));
    symlinkSync('/nowhere', join(root, 'dangling'));
    expect(programsIn(root)).to.deep.equal({ files: good, refused: [] });
    expect(programsIn('/nowhere')).to.deep.equal({ files: [], refused: [] });
  });

  it('are refused where somebody else could have written them', () => {
    const loose = program('loose', 0o775);
    const foreign = program('foreign');
    chownSync(foreign, 65534, 0);
    expect(programsIn(root)).to.deep.equal({
      files: [],
      refused: [
        `Cannot run ${foreign}: ${foreign} belongs to the user with the number 65534; chown root ${foreign}`,
        `Cannot run ${loose}: ${loose} is writable by others than its owner; chmod go-w ${loose}`,
      ],
    });
  });

  it('are refused in a directory that others may write, and by a link that leads to one', () => {
    const open = mkdtempSync('/run/hnet-test-');
    try {
      chmodSync(open, 0o777);
      writeFileSync(join(open, 'target'), '#!/bin/sh\n', { mode: 0o755 });
      chmodSync(join(open, 'target'), 0o755);
      symlinkSync(join(open, 'target'), join(root, 'link'));
      const [why = ''] = programsIn(root).refused;
      expect(why).to.equal(
        `Cannot run ${root}/link: ${open} is writable by others than its owner; chmod go-w ${open}`,
      );
      expect(programsIn(open).files).to.deep.equal([]);
    } finally {
      rmSync(open, { recursive: true });
    }
  });

  const [event = { version: 1, event: 'up', at: MOMENT.at } as const] = eventsOf(fact('start'));
  const run = (script: string, limit = 30_000) =>
    ended(
      spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] }),
      `${JSON.stringify(event)}\n`,
      limit,
    );

  it('are given the event, and what they print is kept', async () => {
    const { printed, why } = await run('cat; echo oops >&2; exit 3');
    expect(printed)
      .to.contain(`${JSON.stringify(event)}\n`)
      .and.contain('oops\n');
    expect(why).to.equal('exit code 3');
    expect(await run(':')).to.deep.equal({ printed: '' });
  });

  it('are killed with their children where they take too long', async () => {
    expect(await run('echo begun; sleep 3600 & wait', 500)).to.deep.equal({
      printed: 'begun\n',
      why: 'it took longer than 0.5 s, and was killed',
    });
  });
});
