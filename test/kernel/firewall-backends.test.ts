import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { Lab } from '../lab/lab.ts';
import { INTERNET } from '../lab/site.ts';
import { ensureBuilt } from '../support/build.ts';
import { hnet } from '../support/command.ts';
import { exchange, type Flow, Listener, udpFlow } from '../support/endpoint.ts';
import { type Backend, Filtered, inScope } from '../support/filtered.ts';
import { ipv4, udp } from '../support/packets.ts';
import { type End, outside, passes } from '../support/probe.ts';
import { REAL, type Scene } from '../support/scene.ts';
import { snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';
import { closeSockets } from '../support/syscalls.ts';

const [OPEN, RULED] = ['123.45.90.116', '123.45.90.117'];
const FOREIGN =
  'ipset create foreign hash:ip; nft add table ip foreign; nft add set ip foreign addresses "{ type ipv4_addr; }"';

for (const first of ['iptables-nft', 'iptables-legacy'] as const) {
  describe(`a change of backend by sync (${first}, nftables, and back)`, () => {
    let lab: Lab;
    let one: Filtered;
    let flows: Flow[];
    let mine: End;
    let internet: End;

    before(async () => {
      await ensureBuilt();
      lab = await Lab.create();
      one = await Filtered.create(lab, first, { given: FOREIGN });
      const guest = await one.start('vm1', OPEN);
      const ruled = await one.start('vm2', RULED, { default: 'deny', rules: ['allow tcp/8080'] });
      mine = { wire: await one.guestWire(guest, OPEN), ip: OPEN };
      internet = outside(await one.internetWire());
      flows = await openFlows(guest, ruled);
    });
    after(() => {
      closeSockets();
      lab.remove();
    });

    /** One flow of each kind: untracked, tracked from outside and from inside, on a lease. */
    async function openFlows(guest: Guest, ruled: Guest): Promise<Flow[]> {
      const inside = new Listener(ruled, { ip: RULED, port: 8080 });
      const away = new Listener(lab.internet, { ip: INTERNET, port: 9000 });
      const lease = inScope(OPEN, 50);
      await guest.run(['ip', 'address', 'add', `${lease}/24`, 'dev', 'eth0']);
      return [
        udpFlow(lab.internet, { ip: INTERNET, port: 6000 }, guest, { ip: OPEN, port: 5000 }),
        await inside.connect(lab.internet),
        await away.connect(ruled),
        udpFlow(
          guest,
          { ip: lease, port: 5001 },
          lab.internet,
          { ip: INTERNET, port: 6001 },
          one.host.address,
        ),
      ];
    }

    /** What the domains' rules say, and the flows that were there before any change. */
    async function worksAsEver(): Promise<void> {
      for (const flow of flows) await exchange(flow);
      expect(await passes(internet, mine, 'tcp', 22), 'untracked, new').to.equal(true);
      await one.dropped('policy', () =>
        internet.wire.send(ipv4(INTERNET, RULED, 'udp', udp(1, 1, 'forged packet'))),
      );
      await one.dropped('spoofed', () => mine.wire.send(ipv4(RULED, INTERNET, 'udp', udp(1, 1, ''))));
    }

    /** Rules, chains and sets of ours, by backend. */
    async function ours(backend: Backend): Promise<string[]> {
      const list =
        backend === 'nftables'
          ? 'nft list table ip hnet 2>/dev/null || true'
          : 'iptables-save; ipset list -n';
      return (await one.host.sh(list)).split('\n').filter(line => line.includes('hnet'));
    }

    async function change(to: Backend): Promise<string> {
      await one.configure(to);
      return one.sync();
    }

    it('begins with everything working', worksAsEver);

    it('leaves flows, rules and totals as they were, and nothing of the old filter', async () => {
      const totals = [await one.total(OPEN), await one.total(RULED)];
      expect(await change('nftables')).to.match(/^removed: the filter in iptables$/m);
      expect(await ours(first)).to.deep.equal([]);
      expect(await ours('nftables')).not.to.deep.equal([]);
      expect([await one.total(OPEN), await one.total(RULED)]).to.deep.equal(totals);
      await worksAsEver();
      expect((await one.total(OPEN)).in.packets).to.be.greaterThan(totals[0]?.in.packets ?? Infinity);
    });

    it('changes nothing, and says nothing, when it is done again', async () => {
      expect(await one.sync()).to.equal('');
    });

    it('goes back as well', async () => {
      const totals = [await one.total(OPEN), await one.total(RULED)];
      expect(await change(first)).to.match(/^removed: the filter in nftables$/m);
      expect(await ours('nftables')).to.deep.equal([]);
      expect([await one.total(OPEN), await one.total(RULED)]).to.deep.equal(totals);
      await worksAsEver();
      expect(await one.sync()).to.equal('');
    });

    it('is no matter to a release: it takes down what stands', async () => {
      await one.configure('nftables');
      await one.host.sh('ip link del vm1; ip link del vm2');
      await one.release('vm1', OPEN);
      await one.release('vm2', RULED);
      const left = (await ours(first)).filter(line =>
        /123\.45\.90\.11[67]|172\.30\.11|hnet-(in|out|mid)-/.test(line),
      );
      expect(left).to.deep.equal([]);
    });

    it("leaves others' tables and sets alone", async () => {
      const foreign = await one.host.sh('ipset list -n; nft list tables');
      for (const name of ['foreign', 'table ip foreign']) expect(foreign.split('\n')).to.include(name);
    });

    it('that is still to come lets a domain start under the old filter, and the others run', async () => {
      await one.configure(first);
      await one.sync();
      const ruled = await one.start('vm4', RULED, { default: 'deny', rules: ['allow tcp/8080'] });
      await one.configure('nftables');
      await one.prepare('vm5', OPEN);
      const listener = new Listener(ruled, { ip: RULED, port: 8080 });
      await exchange(await listener.connect(lab.internet));
      await one.release('vm5', OPEN);
      await one.release('vm4', RULED);
    });

    it('is no matter to a restart of libvirtd either: what it repairs, the release takes down', async () => {
      await one.configure(first);
      await one.sync();
      const before = await snapshot(one.host);
      await one.scene.prepare('vm3', [OPEN]);
      await one.configure('nftables');
      await one.scene.reconnect('vm3');
      await one.scene.release('vm3');
      expect(await ours('nftables')).to.deep.equal([]);
      expect(await snapshot(one.host)).to.equal(before);
    });
  });
}

const NO_NFTABLES =
  'cat >/dev/null; echo "netlink: Error: cache initialization failed: Protocol not supported" >&2; exit 1';

/** What tools say on kernels that lack a part of what they need, and what `auto` makes of it. */
const LACKING: Readonly<Record<string, Lack>> = {
  'lacks nothing': { made: 'iptables' },
  'has no sets for ipset': {
    broken: { ipset: 'echo "ipset v7.17: Cannot open session to kernel." >&2; exit 1' },
    made: 'nftables',
  },
  'has no match of sets for iptables': {
    broken: {
      'iptables-restore': `text=$(cat); case $text in *--match-set*)
        echo "iptables-restore v1.8.9 (nf_tables): Couldn't load match \\\`set':No such file or directory" >&2; exit 2 ;; esac
        printf '%s\\n' "$text" | exec ${REAL}/iptables-restore "$@"`,
    },
    made: 'nftables',
  },
  'has no nf_tables, beside iptables-legacy': {
    variant: 'legacy',
    broken: { nft: NO_NFTABLES },
    made: 'iptables',
  },
  'has no nf_tables, where ipset is not installed': {
    broken: { nft: NO_NFTABLES, ipset: '' },
    refused: /^hnet: Cannot run "nft [^\n]*cache initialization failed: Protocol not supported$/,
  },
};

kernelSuite('backend = "auto" in a kernel that', scene => {
  const scenes = async ({ variant, broken = {} }: Lack) => {
    const one = await scene({ ...(variant && { variant }) });
    for (const [tool, script] of Object.entries(broken))
      await one.replace(`/usr/sbin/${tool}`, script || undefined);
    return one;
  };
  /** What of either filter stands, and what the base was noted to be made with. */
  async function standing({ host }: Scene): Promise<string[]> {
    const saved = await host.sh('iptables-save; iptables-legacy-save');
    const tables = await host.sh(`${REAL}/nft list tables 2>/dev/null || nft list tables`);
    const [noted] = JSON.parse(await host.read('/run/hnet/uplink')) as { backend: string }[];
    return [
      ...(saved.includes(':hnet-') ? ['iptables'] : []),
      ...(tables.split('\n').includes('table ip hnet') ? ['nftables'] : []),
      `noted ${noted?.backend}`,
    ];
  }

  for (const [what, lack] of Object.entries(LACKING)) {
    it(`${what}: the filter is made with ${lack.made ?? 'neither, and it says why'}`, async () => {
      const one = await scenes(lack);
      const { code, stderr } = await hnet(one, 'base', 'up');
      const { made } = lack;
      if (made === undefined) {
        expect({ code, stderr }).to.deep.include({ code: 1 });
        expect(stderr).to.match(lack.refused ?? /^$/);
        return;
      }
      expect(code, stderr).to.equal(0);
      expect(stderr === '').to.equal(made === 'iptables');
      if (made === 'nftables')
        expect(stderr).to.match(
          /^hnet: .*iptables doesn't work on this host \(.*\): the filter is made with nftables$/,
        );
      expect(await standing(one)).to.deep.equal([made, `noted ${made}`]);
      const guest = await one.start('vm1', OPEN);
      expect(await guest.ping(INTERNET)).to.equal(true);
      expect(await standing(one)).to.deep.equal([made, `noted ${made}`]);
      // What is installed later, or works by then, moves nothing.
      for (const tool of Object.keys(lack.broken ?? {})) await one.restore(`/usr/sbin/${tool}`);
      expect((await hnet(one, 'base', 'up')).code).to.equal(0);
      await one.prepare('vm2', [RULED]);
      expect(await standing(one)).to.deep.equal([made, `noted ${made}`]);
    });
  }

  it('fails when the filter stands, or a domain runs: no second filter is made', async () => {
    const one = await scene();
    await one.base();
    const before = await standing(one);
    const broken = LACKING['has no sets for ipset']?.broken ?? {};
    for (const given of ['', 'iptables -t raw -F; iptables -t mangle -F']) {
      await one.host.sh(given);
      await one.replace('/usr/sbin/ipset', broken['ipset']);
      const { code, stderr } = await hnet(one, 'base', 'up');
      expect({ code, stderr }).to.deep.include({ code: 1 });
      expect(stderr).to.include('Cannot open session to kernel');
      await one.restore('/usr/sbin/ipset');
      expect(await standing(one)).to.deep.equal(before);
    }
  });
});

interface Lack {
  readonly variant?: 'legacy';
  /** What stands in the place of a tool; empty: nothing. */
  readonly broken?: Readonly<Record<string, string>>;
  /** The backend that the filter is made with; undefined where it can't be made. */
  readonly made?: 'iptables' | 'nftables';
  readonly refused?: RegExp;
}
