import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { difference, snapshot } from './snapshot.ts';
import { Stage } from './stage.ts';

/** What is read of the answer of a change. */
interface Change {
  readonly dryRun: boolean;
  readonly changed: boolean;
  readonly before: unknown;
  readonly after: unknown;
  readonly changes: readonly { is: string; domain: string | null; what: string }[];
}

/** Each change of domains, of one that runs and of one that doesn't; what a dry run says is then what comes. */
const CHANGES: readonly (readonly string[])[] = [
  ['assign', 'idle', '123.45.90.113', '--dhcp', 'public'],
  ['assign', 'busy', '123.45.90.116', '123.45.53.11'],
  ['assign', 'busy', '123.45.90.118/31', '--via', '123.45.90.116', '--boot', 'undionly.kpxe'],
  ['firewall', 'busy', 'default', 'deny'],
  ['firewall', 'busy', 'allow', 'tcp/22'],
  ['firewall', 'busy', 'insert', '1', 'deny', 'any', 'from', '203.0.113.66'],
  ['firewall', 'busy', 'move', '2', '1'],
  ['firewall', 'busy', 'isolate', 'on'],
  ['firewall', 'busy', 'delete', '1'],
  ['forward', 'add', 'busy', 'tcp/2201:22'],
  ['forward', 'delete', 'busy', 'tcp/2201:22'],
  ['assign', 'idle', '--private'],
  ['move', '123.45.53.11', 'busy', 'idle'],
  ['move', '123.45.53.11', 'idle', 'busy'],
  ['move', '123.45.53.11', 'busy', 'other'],
  ['unassign', 'other', '123.45.53.11'],
  ['unassign', 'idle'],
  ['unassign', 'busy', '--all'],
];

/** What each of them is told to be, beside what follows from it. */
const TELLS: Readonly<Record<string, readonly string[]>> = {
  'assign idle 123': [
    'added 123.45.90.113 on br113, bootstrap scope 172.30.113.0/24',
    'changed dhcp by hnet.toml → public',
  ],
  'firewall busy allow': ['added rule allow tcp/22'],
  'firewall busy move': ['changed order of the rules: allow tcp/22; deny any from 203.0.113.66'],
  'firewall busy default': ['changed default allow → deny'],
  'unassign other': ['removed 123.45.53.11 on br117, bootstrap scope 172.30.117.0/24'],
};

describe('hnet for programs', () => {
  const stage = new Stage();

  before(async () => {
    await stage.hv.sh('ip link add virbr0 type bridge; ip link set virbr0 up');
    for (const name of ['idle', 'busy', 'other']) await stage.hv.vm({ name, boots: false });
    await stage.hv.virsh('start', 'busy');
    await stage.hv.virsh('start', 'other');
    await stage.ok('assign', 'other', '123.45.90.117');
  });

  /** What libvirt has of all domains. */
  const described = (): Promise<string> =>
    stage.hv.sh(
      'for id in $(virsh -q list --all --uuid); do virsh dumpxml $id; virsh dumpxml --inactive $id; done',
    );

  /** The host without what the kernel does by itself, a while after a bridge or an interface has changed. */
  const settled = async (): Promise<string[]> =>
    (await snapshot(stage.hv))
      .filter(line => !/ proto kernel | multicast /.test(line))
      .map(line => line.replace(/<\S*>|state \S+/g, ''));
  const isAsBefore = (before: readonly string[]): Promise<boolean> =>
    until(async () => difference(before, await settled()).length === 0, PATIENCE, 'the host to be as before');

  for (const argv of CHANGES)
    it(`foresees and makes a change: hnet ${argv.join(' ')}`, async () => {
      const [before, xml] = [await settled(), await described()];
      const foreseen = await stage.json<Change>(...argv, '--dry-run');
      expect(await described()).to.equal(xml);
      await isAsBefore(before);
      const made = await stage.json<Change>(...argv);
      expect({ ...foreseen, dryRun: false }).to.deep.equal(made);
      expect(foreseen.dryRun).to.equal(true);
      expect(made.changed).to.equal(true);
      expect(made.before).not.to.deep.equal(made.after);
      const told = made.changes.map(({ is, what }) => `${is} ${what}`);
      for (const [words, lines] of Object.entries(TELLS))
        if (argv.join(' ').startsWith(words)) expect(told).to.include.members(lines);
    });

  it('changes nothing where nothing is to change, and says so', async () => {
    const argv = ['assign', 'other', '123.45.90.117', '--json'];
    const { changed, before, after, changes: all } = await stage.json<Change>(...argv);
    expect({ changed, all }).to.deep.equal({ changed: false, all: [] });
    expect(before).to.deep.equal(after);
    expect(await stage.ok('assign', 'other', '123.45.90.117', '--dry-run')).to.equal('Nothing to change');
    expect((await stage.json<Change>('unassign', 'idle')).changed).to.equal(false);
    expect((await stage.json<Change>('sync')).changed).to.equal(false);
  });

  it('tells what an assign repairs by the way', async () => {
    await stage.hv.run(['ip', 'route', 'del', '123.45.90.117', 'dev', 'br117']);
    const repair = { is: 'added', domain: 'other', what: 'route 123.45.90.117 to br117 (it was missing)' };
    for (const dry of [['--dry-run'], []]) {
      const { changed, changes: all } = await stage.json<Change>('assign', 'other', ...dry);
      expect({ changed, all }).to.deep.equal({ changed: true, all: [repair] });
    }
    expect(await stage.ok('check')).to.equal('Everything is as it should be');
  });

  it('refuses in a dry run what it would refuse', async () => {
    for (const argv of [
      ['assign', 'idle', '123.45.90.117'],
      ['assign', 'idle', '9.9.9.9'],
      ['move', '123.45.90.117', 'idle', 'other'],
      ['unassign', 'other', '123.45.90.112'],
    ]) {
      const [dry, real] = [await stage.hnet(...argv, '--dry-run'), await stage.hnet(...argv)];
      expect(dry).to.deep.equal(real);
      expect(dry.code).to.equal(1);
    }
  });

  it('asks before a domain that runs loses all it has; a program has to say --all', async () => {
    const refused = await stage.hnet('unassign', 'other', '--json');
    expect(refused.code).to.equal(2);
    expect(JSON.parse(refused.stdout).error).to.equal(
      'Cannot unassign all addresses: "other" runs, and loses 123.45.90.117 at once; name the addresses, or say --all',
    );
    const answered = (answer: string) =>
      stage.hv.sh(`(sleep 2; echo ${answer}) | script -qec 'hnet unassign other; echo "code $?"' /dev/null`);
    expect(await answered('no')).to.match(
      /at once\. Go on\? \[y\/N\]\r?\n.*it was not confirmed\r?\ncode 1/s,
    );
    expect((await stage.status('other'))[0]?.addresses).to.have.length(1);
    expect(await answered('yes')).to.match(/123\.45\.90\.117 released.*code 0/s);
    expect(await stage.status('other')).to.deep.equal([]);
    await stage.ok('assign', 'other', '123.45.90.117');
  });

  it('foresees and makes repairs, and tells what it cannot repair', async () => {
    await stage.hv.sh(`ip route del 123.45.90.117 dev br117; ip link set br117 mtu 1300
      ip route add blackhole 123.45.99.0/24 proto 104`);
    const before = await settled();
    const foreseen = await stage.json<Change>('sync', '--dry-run');
    expect(await stage.ok('sync', '--dry-run')).to.include('\n+ "other": route 123.45.90.117 to br117 (');
    await isAsBefore(before);
    const made = await stage.json<Change>('sync');
    expect(made.changes).to.have.deep.members([...foreseen.changes]);
    expect([foreseen.before, foreseen.after]).to.deep.equal([made.before, made.after]);
    expect(made.changes.map(({ is }) => is).sort()).to.deep.equal(['added', 'changed', 'removed']);
    await stage.hv.sh('ip rule add to 123.45.90.117 blackhole pref 10');
    const cut = await stage.hnet('sync', '--json');
    await stage.hv.run(['ip', 'rule', 'del', 'pref', '10']);
    expect(cut.code).to.equal(1);
    expect(JSON.parse(cut.stdout)).to.deep.include({ changed: false, changes: [] });
    expect(JSON.parse(cut.stdout).after.faults).to.have.length(1);
  });

  it('answers each view, and each mistake of the command line, with an object', async () => {
    for (const argv of [
      ['status'],
      ['status', 'other'],
      ['pool'],
      ['pool', '--all'],
      ['pool', '--free'],
      ['firewall', 'other'],
      ['traffic'],
      ['forward', 'list'],
      ['info'],
      ['history'],
      ['ip', 'other'],
      ['whois', '123.45.90.117'],
      ['reserve'],
      ['xml', '123.45.90.119'],
      ['check'],
      ['doctor'],
      ['doctor', 'other'],
      ['plan', 'other'],
      ['hosts'],
      ['host', '--format', 'netplan'],
      ['host', '--check'],
    ])
      await stage.hnet(...argv, '--json');
    for (const [argv, code] of [
      [['status', '--jsn'], 2],
      [['sattus'], 2],
      [['pool', '--all', '--free'], 2],
      [['status', 'nobody'], 1],
    ] as const) {
      const { code: got, stdout } = await stage.hnet(...argv, '--json');
      expect(got, stdout).to.equal(code);
      expect(JSON.parse(stdout)).to.have.all.keys('error', 'warnings');
    }
  });
});
