import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { Stage } from './stage.ts';

type Vm = Awaited<ReturnType<Stage['hv']['vm']>>;

const [MINE, NEIGHBOUR] = ['123.45.90.116', '123.45.90.117'];
const CAUSE = 'source not routed to its bridge';

/** What a VM can send under as its root: any address that its kernel lets it have (test/kernel sends the others). */
const SOURCES: readonly (readonly [string, string])[] = [
  ["a neighbour's address", NEIGHBOUR],
  ['an address of the pool that nobody holds', '123.45.90.115'],
  ["the host's address", '123.45.12.48'],
  ["the gateway's address", '123.45.12.1'],
  ['any foreign address', '8.8.8.8'],
  ["another bridge's bootstrap address", '172.30.117.50'],
  ["the host's address on its own bridge", '172.30.116.1'],
  ['loopback', '127.0.0.1'],
];

/** How each filter is put in the place of the one before; iptables' two kinds don't see each other's rules. */
const FILTERS = [
  ['iptables-nft', 'iptables', 'nft'],
  ['nftables', 'nftables', 'nft'],
  ['iptables-legacy', 'iptables', 'legacy'],
] as const;

describe('a real VM', () => {
  const stage = new Stage();
  let vm: Vm;

  before(async () => {
    vm = await startVm('vm1', MINE);
    await startVm('vm2', NEIGHBOUR);
    await vm.sh('echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet');
  });

  async function startVm(name: string, ip: string): Promise<Vm> {
    const made = await stage.hv.vm({ name, append: `addr=${ip} gw=${stage.hv.address}` });
    await stage.ok('assign', name, ip);
    await made.start();
    await made.ready();
    return made;
  }

  const traffic = async () =>
    JSON.parse(await stage.ok('traffic', '--json')) as {
      addresses: { address: string; sinceStart: { in: { packets: number } } }[];
      dropped: Record<string, { packets: number }>;
    };
  const drops = async (): Promise<number> => (await traffic()).dropped[CAUSE]?.packets ?? 0;

  for (const [name, backend, kind] of FILTERS) {
    describe(`behind ${name}`, () => {
      /** What was read last; a test that failed may not have read what it did. */
      let seen: number | undefined;
      before(async () => {
        await stage.hv.run(['update-alternatives', '--set', 'iptables', `/usr/sbin/iptables-${kind}`]);
        await stage.hv.sh(`sed -i 's/^backend = .*/backend = "${backend}"/' /etc/hnet/hnet.toml`);
        await stage.ok('sync');
        // So that it knows the gateway's MAC: an ARP request under a foreign address isn't even answered.
        await until(() => vm.ping(INTERNET), PATIENCE, 'an answer from the Internet');
      });
      beforeEach(async () => {
        seen ??= await drops();
      });
      afterEach(function () {
        if (this.currentTest?.state === 'failed') seen = undefined;
      });

      /** How many were dropped since the test began. */
      async function newDrops(): Promise<number> {
        const [before = 0, now] = [seen, await drops()];
        seen = now;
        return now - before;
      }

      for (const [what, source] of SOURCES) {
        it(`gets nothing out under ${what}, and that is counted`, async () => {
          const said = await vm.attempt(
            `ip addr add ${source}/32 dev lo; ping -c 3 -A -W 1 -I ${source} ${INTERNET}; ip addr del ${source}/32 dev lo`,
          );
          expect(said.stdout).to.contain('3 packets transmitted, 0 packets received');
          expect(await newDrops()).to.equal(3);
        });
      }

      it('nor in fragments', async () => {
        const said = await vm.attempt(
          `ip addr add 8.8.8.8/32 dev lo; ping -c 1 -W 1 -s 4000 -I 8.8.8.8 ${INTERNET}; ip addr del 8.8.8.8/32 dev lo`,
        );
        expect(said.stdout).to.contain('1 packets transmitted, 0 packets received');
        expect(await newDrops()).to.be.at.least(1);
        expect((await vm.attempt(`ping -c 1 -W 5 -s 4000 ${INTERNET}`)).code, 'under its own').to.equal(0);
      });
    });
  }

  describe('whose filter is about to change', () => {
    it('is counted in the filter that is in force, though the configuration names another already', async () => {
      await until(() => vm.ping(INTERNET), PATIENCE, 'an answer from the Internet');
      const before = (await traffic()).addresses.find(({ address }) => address === MINE);
      expect(before?.sinceStart.in.packets).to.be.greaterThan(0);
      const dropped = await drops();
      await stage.hv.sh(`sed -i 's/^backend = .*/backend = "nftables"/' /etc/hnet/hnet.toml`);
      const after = (await traffic()).addresses.find(({ address }) => address === MINE);
      expect(after?.sinceStart.in.packets).to.be.at.least(before?.sinceStart.in.packets ?? Infinity);
      expect(await drops()).to.equal(dropped);
      expect((await stage.status()).flatMap(shown => shown.faults)).to.deep.equal([]);
      expect((await stage.hnet('check')).code, 'which check tells').to.equal(3);
    });
  });
});
