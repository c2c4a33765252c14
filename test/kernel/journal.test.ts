import { expect } from 'chai';
import { isFact, parseJournal } from '../../src/model/journal.ts';
import { JOURNAL_DIRECTORY, RESERVATIONS_FILE } from '../../src/model/names.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { assignmentXml, domainXml, uuidOf } from '../support/domain.ts';
import type { Scene } from '../support/scene.ts';
import { snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

const [MINE, MINE6] = ['123.45.90.116', '2001:db8:12:48::116'];
const STRANGE = `vm "1"\\u0000 $(id) 'x'`;

kernelSuite('the journal', (_, share) => {
  const shared = share(async scene => {
    const one = await scene({ config: 'pools = ["123.45.90.112/29", "2001:db8:12:48::/64"]\n' });
    await one.base();
    return one;
  });
  let one: Scene;
  beforeEach(async () => {
    one = await shared();
    await one.host.sh(`rm -rf ${JOURNAL_DIRECTORY} ${RESERVATIONS_FILE}`);
  });

  const read = async (): Promise<string[]> => {
    const { entries, skipped } = parseJournal(await one.host.sh(`cat ${JOURNAL_DIRECTORY}/*.jsonl`));
    expect(skipped).to.equal(0);
    return entries.filter(isFact).map(({ is, address, domain, uuid }) => {
      expect(uuid).to.equal(uuidOf(domain));
      return `${is} ${address.length === 32 ? MINE : MINE6} ${domain}`;
    });
  };
  const has = (lines: readonly string[]) =>
    until(async () => (await read()).length === lines.length, PATIENCE, `${lines.length} lines`).then(
      async () => expect(await read()).to.deep.equal(lines),
    );

  it('has a line for each address that starts, and for each that a script stops, without node', async () => {
    const addresses = [MINE, { ip: MINE6, bridge: 'br116', scope: '172.30.116.0/24' }];
    await one.prepare(STRANGE, addresses);
    const started = [`start ${MINE} ${STRANGE}`, `start ${MINE6} ${STRANGE}`];
    await has(started);
    await one.release(STRANGE, {}, '/run/lab/no-such-node');
    await has([...started, `stop ${MINE} ${STRANGE}`, `stop ${MINE6} ${STRANGE}`]);
    const [modes, boots] = (
      await one.host.sh(`stat -c %a ${JOURNAL_DIRECTORY} ${JOURNAL_DIRECTORY}/* | xargs
        grep -oh '"boot":"[^"]*"' ${JOURNAL_DIRECTORY}/* | sort -u | wc -l`)
    ).split('\n');
    expect(modes).to.equal('700 600');
    expect(boots).to.equal('1');
  });

  it('has the stop of a domain with rules, which the program does', async () => {
    const rule =
      '<hnet:policy inbound="allow" isolate="off"><hnet:rule>allow tcp/22</hnet:rule></hnet:policy>';
    const metadata = assignmentXml(uuidOf('vm1'), [MINE]).replace(
      '</hnet:assignment>',
      `${rule}</hnet:assignment>`,
    );
    await one.hook('prepare', 'vm1', domainXml('vm1', { metadata }));
    await one.release('vm1', { metadata });
    await has([`start ${MINE} vm1`, `stop ${MINE} vm1`]);
  });

  it('has no start that was refused', async () => {
    await one.prepare('vm1', [MINE]);
    expect((await one.attemptPrepare('vm2', [MINE])).code).to.equal(1);
    await has([`start ${MINE} vm1`]);
    await one.release('vm1');
  });

  it("is in nobody's way where it can't be written", async () => {
    const before = await snapshot(one.host);
    await one.host.sh(`mkdir -p /var/lib/hnet; echo somebody >${JOURNAL_DIRECTORY}`);
    await one.prepare('vm1', [MINE]);
    await one.release('vm1', {}, '/run/lab/no-such-node');
    expect(await one.host.sh(`cat ${JOURNAL_DIRECTORY}`)).to.equal('somebody');
    expect(await snapshot(one.host)).to.equal(before);
  });

  it('is beside the traffic of each month, which goes on over owners', async () => {
    const month = new Date().toISOString().slice(0, 7);
    const file = `/var/lib/hnet/addresses/${MINE}-32.json`;
    await one.host.sh(`rm -rf /var/lib/hnet/addresses`);
    for (const name of ['vm1', 'vm2']) {
      const guest = await one.start(name, MINE);
      expect(await guest.ping(one.host.address)).to.equal(true);
      await one.release(name, {}, '/run/lab/no-such-node');
    }
    // What the script of the last stop has counted is added up by whoever reads it next.
    await one.prepare('vm1', [MINE]);
    await one.release('vm1');
    const { version, months } = JSON.parse(await one.host.sh(`cat ${file}`));
    expect(version).to.equal(2);
    for (const name of ['vm1', 'vm2'])
      expect(Number(months[month][uuidOf(name)].out.packets), name).to.be.above(0);
  });

  const reserve = (name: string | null) =>
    one.host.write(
      RESERVATIONS_FILE,
      JSON.stringify({ version: 1, reservations: [{ address: '123.45.90.116/31', name, since: '' }] }),
    );

  it('lets only the domain start for which its address is kept', async () => {
    await reserve('vm1');
    const { code, stderr } = await one.attemptPrepare('vm2', [MINE]);
    expect(code).to.equal(1);
    expect(stderr).to.contain(
      'hnet: Cannot start "vm2": 123.45.90.116 is reserved with 123.45.90.116/31 for "vm1"; hnet reserve --delete 123.45.90.116/31 gives it up',
    );
    await one.prepare('vm1', [MINE]);
    await one.release('vm1');
    await reserve(null);
    expect((await one.attemptPrepare('vm1', [MINE])).stderr).to.contain('and given to nobody');
  });

  for (const text of ['{"version":2,"reservations":[]}', '{"version":1,'])
    it(`starts domains though what is kept can't be read: ${text}`, async () => {
      await one.host.write(RESERVATIONS_FILE, text);
      await one.prepare('vm1', [MINE]);
      await one.release('vm1');
      expect(await one.host.sh(`cat ${RESERVATIONS_FILE}`)).to.equal(text);
    });
});
