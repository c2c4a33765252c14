import { expect } from 'chai';
import type { Hypervisor } from '../lab/hypervisor.ts';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { expectFewLost, expectGone, expectGood } from './seen.ts';
import { ClusterStage } from './stage.ts';
import { followMoves, lostDuring, NIC } from './travel.ts';

const SINGLE = ['123.45.90.116', '123.45.53.11', '2001:db8:12:4900::116'] as const;
const SUBNETS = ['123.45.90.112/30', '2001:db8:12:4901::/64'] as const;
const WITHIN = ['123.45.90.113', '2001:db8:12:4901::5'] as const;
const ALL = [...SINGLE, ...WITHIN];
/** So often the new host tells everybody where an address is, and the old one never. */
const TIMES = 3;

/** The gateway looks for each address on the wire that it shares with the hosts, and remembers who answered. */
describe('a VM that moves on one layer 2', () => {
  const stage = new ClusterStage({ hosts: 2, etcds: 1, announce: 'on-link' });
  let vm: Vm;

  before(async () => {
    const h1 = stage.host(1);
    const append = `addr=${SINGLE[0]} gw=${h1.address} addr6=${SINGLE[2]}`;
    vm = await stage.cluster.vm(h1, { name: 'vm1', nic: NIC, append });
    await stage.ok(h1, 'assign', 'vm1', ...SINGLE, ...SUBNETS);
    await vm.start();
    await followMoves(stage.cluster);
    await vm.ready();
    await vm.sh(`ip addr add ${SINGLE[1]}/32 dev eth0; ip addr add ${WITHIN[0]}/32 dev eth0
      ip -6 addr add ${WITHIN[1]}/128 dev eth0`);
    for (const address of ALL)
      await until(() => stage.lab.internet.ping(address), PATIENCE, `an answer of ${address}`);
  });

  const ways = () => ALL.map(address => ({ machine: stage.lab.internet, address }));

  /** Whom the gateway sends packets for an address to. */
  const known = (address: string): Promise<string> =>
    stage.lab.gateway.run(['ip', 'neigh', 'show', address, 'dev', 'lan']);

  const isAt = ({ site }: Hypervisor, address: string): Promise<boolean> =>
    known(address).then(said => said.includes(site.mac));

  /** What the hosts say of addresses on the gateway's wire, while something happens. */
  async function said(work: () => Promise<unknown>): Promise<string[]> {
    const capture = stage.lab.gateway.start(['tcpdump', '-l', '-n', '-e', '-v', '-i', 'lan', 'arp or icmp6']);
    await capture.until(/listening on/, PATIENCE);
    await work();
    const printed = await capture.stop();
    return printed.replaceAll(/\n\s+/g, ' ').split('\n');
  }

  /** Gratuitous ones of an address, by a host. */
  const announcements = (lines: readonly string[], { site }: Hypervisor, address: string): string[] =>
    lines.filter(line =>
      address.includes(':')
        ? line.includes(`${site.mac} > 33:33:00:00:00:01`) && line.includes(`tgt is ${address},`)
        : line.includes(`${site.mac} > ff:ff:ff:ff:ff:ff`) &&
          line.includes(`who-has ${address} tell ${address}`),
    );

  it('is found at the old host until it leaves, and then at the new one, there and back', async () => {
    for (const number of [2, 1]) {
      const [from, to] = [stage.host(3 - number), stage.host(number)];
      const lines = await said(async () => {
        const losses = await lostDuring(ways(), () => stage.cluster.migrate(vm, to));
        expectFewLost(losses, `to ${to.name}`);
        for (const address of SINGLE)
          await until(() => isAt(to, address), PATIENCE, `the gateway to find ${address} at ${to.name}`);
      });
      for (const address of SINGLE) {
        expect(announcements(lines, to, address), `${address} by ${to.name}`).to.have.length(TIMES);
        expect(announcements(lines, from, address), `${address} by ${from.name}`).to.have.length(0);
      }
      for (const address of WITHIN) {
        await stage.lab.gateway.attempt(['ip', 'neigh', 'flush', 'to', address]);
        expect(await stage.lab.internet.ping(address)).to.equal(true);
        expect(await isAt(to, address), address).to.equal(true);
      }
      await expectGood(stage);
      await expectGone(from, [await to.virsh('domuuid', 'vm1'), ...ALL, ...SUBNETS, 'br116']);
    }
  });

  it('is answered for by one host alone while it is copied, whoever forgets where it is', async () => {
    const [h1, h2] = [stage.host(1), stage.host(2)];
    await h1.virsh('migrate-setspeed', 'vm1', '4');
    const losses = await lostDuring(ways(), async () => {
      const move = stage.cluster.migrate(vm, h2);
      const comes = () => h2.run(['ip', 'route', 'show', SINGLE[0], 'metric', '175']);
      await until(async () => (await comes()) !== '', PATIENCE, 'the route in the background');
      for (const address of ALL) {
        await stage.lab.gateway.attempt(['ip', 'neigh', 'del', address, 'dev', 'lan']);
        await until(() => isAt(h1, address), PATIENCE, `the gateway to find ${address} at h1`);
      }
      expect(await h2.run(['ip', 'neigh', 'show', 'proxy', 'dev', 'eth0'])).to.equal('');
      await h1.virsh('migrate-setspeed', 'vm1', '8796093022207');
      await move;
    });
    expectFewLost(losses, 'to h2, and asked for in between');
    await expectGood(stage);
  });
});
