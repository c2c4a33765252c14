import { expect } from 'chai';
import { parseAttachment, renderAttachment } from '../../src/model/attachment.ts';
import { JOURNAL_DIRECTORY } from '../../src/model/names.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { hnet } from '../support/command.ts';
import { uuidOf } from '../support/domain.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { onWire, WIRE } from '../support/peers.ts';
import { POOLS, type Scene } from '../support/scene.ts';
import { kernelSuite } from '../support/suite.ts';

const ALONE = `pools = ${JSON.stringify(POOLS)}\n`;
const CONFIG = `${ALONE}[cluster]
name = "lab"
host = "h1"
interface = "${WIRE}"
etcd = ["http://${onWire(1)}:2379"]
announce = "bgp"
`;
const [ADDRESS, OTHER] = ['123.45.90.116', '123.45.90.118'];
const RECORD = `/run/hnet/attachments/${uuidOf('vm1')}.json`;
const LOG = '/run/lab/logged';

kernelSuite('a domain whose move nobody has followed', (_, share) => {
  let one: Scene;
  let libvirt: FakeLibvirt;

  const shared = share(async newScene => {
    const one = await newScene({ config: CONFIG });
    await one.host.sh(
      `ip link add ${WIRE} type veth peer name far; ip link set far up; ip link set ${WIRE} up`,
    );
    await one.base();
    const libvirt = await FakeLibvirt.create(one);
    await libvirt.define('vm2', 'vm3');
    await one.prepare('vm1', [ADDRESS]);
    await libvirt.run('vm1', { addresses: [ADDRESS] });
    return { one, libvirt };
  });
  beforeEach(async () => {
    ({ one, libvirt } = await shared());
  });

  /** As it is once the follower has turned it, or has failed to. */
  async function come(): Promise<void> {
    const { state: _, ...record } = parseAttachment(`${await one.host.run(['cat', RECORD])}\n`);
    await one.host.write(RECORD, renderAttachment({ ...record, state: 'incoming' }));
    await one.host.sh(
      `ip route del ${ADDRESS} proto 104; ip route add ${ADDRESS} dev br116 proto 104 metric 175`,
    );
  }
  const metric = async (): Promise<string> =>
    (await one.host.sh(`ip route show ${ADDRESS} proto 104`)).trim();

  it("is turned by a sync; no command fails with a journal that can't be written, and each that writes to it says so", async () => {
    await one.replace('/usr/bin/logger', `echo "$*" >>${LOG}`);
    const WRITING = [
      ['assign', 'vm2', OTHER, '--no-nic'],
      ['move', OTHER, 'vm2', 'vm3'],
      ['unassign', 'vm3', OTHER],
      ['sync'],
    ];
    const READING = [['history'], ['whois', ADDRESS], ['traffic'], ['metrics'], ['status']];
    const runAll = async (): Promise<{ codes: number[]; said: string[]; writers: string[] }> => {
      const outcomes = [];
      await one.configure(ALONE);
      for (const argv of WRITING.slice(0, -1)) outcomes.push(await hnet(one, ...argv));
      await one.configure(CONFIG);
      await come();
      for (const argv of [...WRITING.slice(-1), ...READING]) outcomes.push(await hnet(one, ...argv));
      await one.prepare('vm4', [OTHER]);
      await one.release('vm4', {}, '/run/lab/no-such-node');
      return {
        codes: outcomes.map(({ code }) => code),
        said: outcomes.slice(0, WRITING.length).map(({ stdout }) => stdout),
        writers: outcomes.slice(0, WRITING.length).map(({ stderr }) => stderr),
      };
    };
    const usual = await runAll();
    expect(usual.said[3]).to.contain('turned: ').and.to.contain('it has come from another host');
    expect(await metric()).to.contain('metric 50');
    await one.host.sh(`rm -r ${JOURNAL_DIRECTORY}; echo somebody >${JOURNAL_DIRECTORY}; : >${LOG}`);
    const { codes, said, writers } = await runAll();
    expect({ codes, said }).to.deep.equal({ codes: usual.codes, said: usual.said });
    const why = `Cannot write ${JOURNAL_DIRECTORY}/`;
    for (const [at, stderr] of writers.entries()) expect(stderr, WRITING[at]?.join(' ')).to.contain(why);
    await until(
      async () => (await one.host.sh(`cat ${LOG}`)).includes(`prepare "vm4": ${why}`),
      PATIENCE,
      'the start to be in the log',
    );
    await one.host.sh(`rm ${JOURNAL_DIRECTORY}`);
  });

  it("isn't called turned where its route couldn't be put", async () => {
    await come();
    await one.host.run(['ip', 'link', 'delete', 'br116']);
    const { stdout } = await hnet(one, 'sync');
    expect(stdout).to.contain('repaired: vm1: bridge br116').and.not.to.contain('turned');
    expect(await metric()).to.contain('metric 50');
  });

  it("and whose record is lost while it is copied isn't taken for one that is here", async () => {
    await come();
    await libvirt.moves('vm1', true);
    await one.host.run(['rm', RECORD]);
    await one.reconnect('vm1');
    expect(await metric(), 'by a restart of libvirtd').to.match(/metric 175\b/);
    expect((await hnet(one, 'sync')).stdout).to.contain('recorded: br116 of "vm1"');
    expect(await metric(), 'by a sync').to.match(/metric 175\b/);
    await libvirt.moves('vm1', false);
    expect((await hnet(one, 'sync')).stdout).to.contain('it has come from another host');
    expect(await metric()).to.match(/metric 50\b/);
  });
});
