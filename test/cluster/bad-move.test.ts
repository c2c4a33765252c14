import { expect } from 'chai';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { scarsOf, type Trace, tracesOf } from './scar.ts';
import { ClusterStage, tableWith } from './stage.ts';
import { defineTraveller, followMoves, NIC, TRAVELS } from './travel.ts';

const CONFIG = '/etc/hnet/hnet.toml';
/** In which a move is refused, whatever is wrong, in milliseconds: etcd is asked for 4 s at most, and the rest is libvirt's. */
const LIMIT = 20_000;

/** What is wrong, what makes it so, how it's undone, and what the move is refused with. */
interface Case {
  readonly make: () => Promise<unknown>;
  readonly undo: () => Promise<unknown>;
  readonly words: RegExp;
}

describe('a move that can come to nothing', () => {
  const stage = new ClusterStage({
    hosts: 2,
    etcds: 3,
    toml: tableWith('settle = "5s"'),
  });
  let vm: Vm;
  let uuid: string;

  before(async () => {
    const h1 = stage.host(1);
    vm = await defineTraveller(stage.cluster, stage.ok, { boots: false });
    uuid = await h1.virsh('domuuid', 'vm1');
    await vm.start();
    await followMoves(stage.cluster);
    await well();
  });

  async function well(): Promise<void> {
    let scars: string[] = [];
    const isWell = async () => {
      scars = await scarsOf(stage.cluster, uuid);
      return scars.length === 0;
    };
    await until(isWell, PATIENCE, 'all to be well').catch(() => undefined);
    expect(scars).to.deep.equal([]);
    for (const host of stage.cluster.hosts) {
      const isClean = async () => (await stage.hnet(host, 'check')).code === 0;
      await until(isClean, PATIENCE, `${host.name} to be clean`);
    }
  }

  const traces = (): Promise<Trace[]> => tracesOf(stage.cluster, uuid);

  async function configure(change: (text: string) => string): Promise<void> {
    const h2 = stage.host(2);
    await h2.write(CONFIG, change(await h2.read(CONFIG)));
  }

  const configured = (from: string | RegExp, to: string, words: RegExp): Case => ({
    make: async () => {
      await stage.host(2).run(['cp', CONFIG, `${CONFIG}.kept`]);
      await configure(text => text.replaceAll(new RegExp(from, 'g'), to));
    },
    undo: () => stage.host(2).run(['cp', `${CONFIG}.kept`, CONFIG]),
    words,
  });

  const live = async (): Promise<string> => stage.host(1).virsh('metadata', 'vm1', 'urn:hnet:1', '--live');
  const setLive = (text: string): Promise<unknown> =>
    stage.host(1).virsh('metadata', 'vm1', 'urn:hnet:1', '--live', '--key', 'hnet', '--set', text);
  let kept = '';

  const CASES: Readonly<Record<string, Case>> = {
    'etcd has no quorum': {
      make: () => Promise.all(stage.cluster.etcd.members.slice(1).map(({ daemon }) => daemon.kill())),
      undo: async () => {
        for (const { daemon } of stage.cluster.etcd.members.slice(1)) await daemon.start();
        await until(() => stage.cluster.etcd.answers(), PATIENCE, 'etcd to answer');
      },
      words: /^hnet: Cannot take over "vm1": etcd doesn't answer at http:.*: .+$/m,
    },
    'etcd speaks without TLS, and the destination with it': configured(
      'http:',
      'https:',
      /^hnet: Cannot take over "vm1": etcd doesn't answer at https:.*: the TLS handshake fails: .+$/m,
    ),
    "the destination's pools are others": configured(
      '"123.45.90.112/29",',
      '',
      /^hnet: Cannot take over "vm1": 123.45.90.116 is outside the pools .*; add its subnet to "pools" in hnet.toml$/m,
    ),
    'the destination has left the cluster': {
      make: () => stage.ok(stage.host(2), 'cluster', 'leave'),
      undo: () => stage.ok(stage.host(2), 'cluster', 'join'),
      words:
        /^hnet: Cannot take over "vm1": This host hasn't joined the cluster "lab" of hnet.toml; hnet cluster join does it$/m,
    },
    'its bridge is taken at the destination': {
      make: () => stage.host(2).run(['ip', 'link', 'add', 'br116', 'type', 'bridge']),
      undo: () => stage.host(2).run(['ip', 'link', 'delete', 'br116']),
      words:
        /^hnet: Cannot take over "vm1": Cannot set up bridge br116: an interface of that name exists and isn't hnet's/m,
    },
    'the destination has its DHCP scope on another interface': {
      make: () =>
        stage
          .host(2)
          .sh(
            'ip link add other type bridge; ip address add 172.30.116.9/24 dev other; ip link set other up',
          ),
      undo: () => stage.host(2).run(['ip', 'link', 'delete', 'other']),
      words: /^hnet: Cannot take over "vm1": .*172.30.116.0\/24.*other.*$/m,
    },
    'the destination itself has the address': {
      make: () => stage.host(2).run(['ip', 'address', 'add', `${TRAVELS[4]}/32`, 'dev', 'lo']),
      undo: () => stage.host(2).run(['ip', 'address', 'delete', `${TRAVELS[4]}/32`, 'dev', 'lo']),
      words: /^hnet: Cannot take over "vm1": the host itself has 123.45.90.116.*$/m,
    },
    'a newer hnet has written what the one at the destination does not know': {
      make: async () => {
        kept = await live();
        await setLive(kept.replace(/<address /, '<novelty/><address '));
      },
      undo: () => setLive(kept),
      words: /^hnet: Cannot take over "vm1": its hnet metadata can't be used: unknown element <novelty>.*$/m,
    },
  };

  for (const what of Object.keys(CASES))
    it(`is refused before anything is copied: ${what}`, async () => {
      const { make, undo, words } = CASES[what] as Case;
      const before = await traces();
      await make();
      try {
        const begun = Date.now();
        const { code, stderr } = await stage.cluster.attemptMigrate(vm, stage.host(2));
        const took = Date.now() - begun;
        console.log(`      ${took} ms: ${stderr.trim().split('\n').at(-1)}`);
        expect(code).to.equal(1);
        const line = /unexpected exit status 1: (.*)/.exec(stderr)?.[1] ?? stderr;
        expect(line).to.match(words);
        expect(took).to.be.lessThan(LIMIT);
        expect(await traces()).to.deep.equal(before);
      } finally {
        await undo();
      }
      await well();
    });

  it('goes where the pools of the hosts differ, and the address is in both', async () => {
    const { make, undo } = configured('"123.45.53.13",', '', /./);
    await make();
    try {
      await stage.cluster.migrate(vm, stage.host(2));
    } finally {
      await undo();
    }
    await well();
    await stage.cluster.migrate(vm, stage.host(1));
    await well();
  });

  it('leaves a twin where it is called without --persistent --undefinesource, which is refused', async () => {
    const [h1, h2] = [stage.host(1), stage.host(2)];
    const { code } = await stage.cluster.attemptMigrate(vm, h2, ['--live', '--p2p']);
    expect(code).to.equal(0);
    const start = async () => (await h1.attempt(['virsh', 'start', 'vm1'])).stderr;
    expect(await start()).to.match(/hnet: Cannot start "vm1": it (runs on|was on its way to) h2[;,]/);
    const isToldOf = async () =>
      /it is transient, as after virsh migrate without --persistent/.test(
        (await stage.hnet(h2, 'check')).stdout,
      );
    await until(isToldOf, PATIENCE, 'check to tell what its next stop would cost');
    await until(
      async () => (await scarsOf(stage.cluster, uuid)).length === 1,
      PATIENCE,
      'the definition alone to be left',
    );
    expect(await start()).to.contain('hnet: Cannot start "vm1": it runs on h2; virsh migrate brings it here');
    // Back to the definition that it left.
    await stage.cluster.attemptMigrate(vm, h1, ['--live', '--p2p']);
    await well();
  });

  it('of a domain that does not run is refused, with the way that there is', async () => {
    const [h1, h2] = [stage.host(1), stage.host(2)];
    const other = await stage.cluster.vm(h1, { name: 'vm2', nic: NIC, boots: false });
    await stage.ok(h1, 'assign', other.name, '123.45.90.117');
    const { code, stderr } = await stage.cluster.attemptMigrate(other, h2, [
      '--offline',
      '--p2p',
      '--persistent',
      '--undefinesource',
    ]);
    expect(code).to.equal(1);
    expect(stderr).to.match(/hnet: Cannot take over "vm2": etcd doesn't know that it runs anywhere/);
    await h2.write('/root/vm2.xml', await h1.virsh('dumpxml', 'vm2'));
    await h2.virsh('define', '/root/vm2.xml');
    await h1.virsh('undefine', 'vm2');
    const isKnown = async () => {
      const key = `/hnet/lab/domains/${await h2.virsh('domuuid', 'vm2')}`;
      return /"h2"/.test(await stage.cluster.etcd.ctl('get', '--print-value-only', key));
    };
    await until(isKnown, PATIENCE, 'etcd to know where vm2 is');
    expect(await stage.ok(h1, 'cluster', 'status')).not.to.contain('no host has this domain');
    await h2.virsh('start', 'vm2');
    await h2.virsh('destroy', 'vm2');
  });
});
