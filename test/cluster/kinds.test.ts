import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { ECHO, Stream } from '../lab/stream.ts';
import type { Vm, VmOptions } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { expectFewLost, expectGone, expectGood } from './seen.ts';
import { ClusterStage } from './stage.ts';
import { followMoves, lostDuring, NIC, neighbour } from './travel.ts';

/** Every kind of VM that is more than one static address on one interface. */
describe('VMs of all kinds that move', () => {
  const stage = new ClusterStage({ hosts: 2, etcds: 1 });
  const running: Vm[] = [];
  let several: Vm;
  let leased: Vm;

  before(() => followMoves(stage.cluster));

  const internet = (addresses: readonly string[]) =>
    addresses.map(address => ({ machine: stage.lab.internet, address }));

  async function started(options: VmOptions, ...assigns: readonly (readonly string[])[]): Promise<Vm> {
    const host = stage.host(1);
    const vm = await stage.cluster.vm(host, { nic: NIC, ...options });
    for (const words of assigns) await stage.ok(host, 'assign', vm.name, ...words);
    await vm.start();
    await vm.ready();
    running.push(vm);
    return vm;
  }

  async function expectAnswers(addresses: readonly string[]): Promise<void> {
    for (const address of addresses)
      await until(() => stage.lab.internet.ping(address), PATIENCE, `an answer of ${address}`);
  }

  /** @param traces words of which the host that it leaves keeps none */
  async function moved(vm: Vm, to: Hypervisor, addresses: readonly string[], traces: readonly string[]) {
    const from = vm.hypervisor;
    const losses = await lostDuring(internet(addresses), () => stage.cluster.migrate(vm, to));
    expectFewLost(losses, `${vm.name} to ${to.name}`);
    await expectGood(stage);
    await expectGone(from, [await to.virsh('domuuid', vm.name), ...traces]);
  }

  describe('one with two interfaces, several addresses, prefixes, and what it routes on', () => {
    const [FIRST, SECOND] = ['52:54:00:00:53:01', '52:54:00:00:53:02'];
    const plain = ['123.45.90.116', '123.45.53.11', '2001:db8:12:4900::116'] as const;
    const subnets = ['123.45.90.112/31', '2001:db8:12:4901::/64'];
    const [behind, behind6] = ['123.45.53.12', '2001:db8:12:4902::/64'];
    const second = ['123.45.53.13', '2001:db8:12:4900::53'];
    const all = [...plain, '123.45.90.113', '2001:db8:12:4901::5', behind, '2001:db8:12:4902::7', ...second];

    before(async () => {
      const gateway = stage.host(1).address;
      several = await started(
        {
          name: 'several',
          nics: [FIRST, SECOND].map(mac => ({ ...NIC, mac })),
          append: `addr=${plain[0]} gw=${gateway} addr6=${plain[2]}`,
        },
        [...plain, ...subnets, '--nic', FIRST],
        [behind, '--via', plain[0]],
        [behind6, '--via', plain[2]],
        [...second, '--nic', SECOND],
      );
      // What comes by the second interface is answered by it, or hnet takes its source for another's.
      await several.sh(`
        ip addr add 123.45.53.11/32 dev eth0; ip addr add 123.45.90.113/32 dev eth0
        ip -6 addr add 2001:db8:12:4901::5/128 dev eth0
        ip addr add ${behind}/32 dev lo; ip -6 addr add 2001:db8:12:4902::7/128 dev lo
        echo 0 >/proc/sys/net/ipv6/conf/eth1/accept_dad; ip link set eth1 up
        ip addr add 123.45.53.13/32 dev eth1; ip -6 addr add 2001:db8:12:4900::53/128 dev eth1
        ip route add ${gateway} dev eth1 table 7; ip route add default via ${gateway} dev eth1 table 7
        ip rule add from 123.45.53.13 table 7
        ip -6 route add default via fe80::1 dev eth1 table 7; ip -6 rule add from 2001:db8:12:4900::53 table 7`);
      await expectAnswers(all);
    });

    it('takes all of them along, there and back', async () => {
      for (const number of [2, 1])
        await moved(several, stage.host(number), all, [...all, ...subnets, behind6, 'br116', 'br13']);
    });
  });

  /** Has a lease of IPv4 renewed by whoever serves it here. @returns what it said */
  async function renewed(vm: Vm): Promise<string> {
    await vm.sh('rm /run/lease.eth0; kill -USR1 $(cat /run/udhcpc.pid)');
    const said = () => vm.attempt('grep ^ip= /run/lease.eth0');
    const { stdout } = await until(
      async () => [await said()].find(({ code }) => code === 0),
      PATIENCE,
      `${vm.name} to have its lease renewed`,
    );
    for (const address of [INTERNET, INTERNET6].slice(0, vm === leased ? 2 : 1))
      expect(await vm.ping(address), address).to.equal(true);
    return stdout;
  }

  describe('one that leases all that it has', () => {
    const [lease, lease6, prefix] = ['123.45.90.117', '2001:db8:12:4900::117', '2001:db8:12:4903::/64'];
    const all: string[] = [lease, lease6];

    before(async () => {
      leased = await started({ name: 'leased', append: 'mode=dhcp' }, [
        lease,
        lease6,
        prefix,
        '--dhcp',
        'public',
      ]);
      await leased.sh(
        'dhclient -6 -1 -lf /run/6.leases -pf /run/6.pid -sf /dhclient6.sh eth0 >/run/6.log 2>&1',
      );
      const own = 'ip -6 addr show dev eth0 scope global | awk \'/4903:/ { sub("/.*", "", $2); print $2 }\'';
      all.push(await until(() => leased.sh(own), PATIENCE, 'an address by advertisement'));
      await expectAnswers(all);
    });

    it('has its leases renewed where it goes, by a server that never gave them', async () => {
      const begun = () => leased.sh("sed -n 's/^ *starts //p' /run/6.leases | sort | tail -n1");
      const traces = [...all, prefix, 'br117'];
      await moved(leased, stage.host(2), all, traces);
      const before = await begun();
      expect(await renewed(leased)).to.equal(`ip=${lease}`);
      // Its server there is another one to DHCPv6, so it asks anybody when 105 of 120 seconds are over.
      await until(async () => (await begun()) !== before, PATIENCE, 'a new term of the IPv6 lease');
      await expectAnswers(all);
      await moved(leased, stage.host(1), all, traces);
      expect(await renewed(leased)).to.equal(`ip=${lease}`);
    });
  });

  describe('one on its bootstrap lease', () => {
    it('has it renewed where it goes, and reaches the Internet there', async () => {
      const vm = await started({ name: 'installer', append: 'mode=dhcp' }, [
        '123.45.90.119',
        '--dhcp',
        'bootstrap',
      ]);
      const lease = await vm.sh('grep ^ip= /run/lease.eth0');
      for (const number of [2, 1]) {
        await moved(vm, stage.host(number), [], ['123.45.90.119', 'br119']);
        expect(await renewed(vm)).to.equal(lease);
      }
    });
  });

  describe('two at the same time', () => {
    it('go the same way, and one each way', async () => {
      const { cluster } = stage;
      const [h1, h2] = [stage.host(1), stage.host(2)];
      const ways = internet([
        '123.45.90.116',
        '2001:db8:12:4900::53',
        '123.45.90.117',
        '2001:db8:12:4900::117',
      ]);
      const both = async (what: string, ...to: readonly [Hypervisor, Hypervisor]) => {
        const moves = () => Promise.all([cluster.migrate(several, to[0]), cluster.migrate(leased, to[1])]);
        expectFewLost(await lostDuring(ways, moves), what);
        await expectGood(stage);
      };
      await both('both to h2', h2, h2);
      await both('both to h1', h1, h1);
      await cluster.migrate(leased, h2);
      await both('one to h2, one to h1', h2, h1);
      await both('one to h1, one to h2', h1, h2);
    });
  });

  describe('one with a disk and rules, and VMs of both hosts that it talks to', () => {
    const [address, address6] = ['123.45.90.118', '2001:db8:12:4900::118'];
    const BESIDE = [
      ['123.45.90.114', '2001:db8:12:4900::114'],
      ['123.45.90.115', '2001:db8:12:4900::115'],
    ] as const;
    let vm: Vm;
    let guests: Guest[];

    before(async () => {
      const h1 = stage.host(1);
      const rules = async (host: Hypervisor, name: string, ...all: readonly string[]) => {
        for (const rule of all) await stage.ok(host, 'firewall', name, ...rule.split(' '));
      };
      for (const one of running.splice(0)) await one.destroy();
      const append = `addr=${address} gw=${h1.address} addr6=${address6}`;
      vm = await started({ name: 'ruled', append, disk: 16 }, [address, address6]);
      guests = [];
      for (const [index, addresses] of BESIDE.entries())
        guests.push(
          await neighbour(
            stage.cluster,
            stage.host(index + 1),
            { name: `talks${index + 1}`, addresses },
            stage.ok,
          ),
        );
      // One of those it talks to has rules as well.
      await rules(h1, 'talks1', 'default deny', 'allow icmp', 'allow tcp/7000');
      await rules(
        h1,
        'ruled',
        'default deny',
        'allow icmp',
        'allow tcp/7',
        `allow tcp/80 from ${BESIDE[1][0]}`,
      );
      await vm.sh(`${ECHO} echo "on the disk" | dd of=/dev/vda bs=1M seek=9 conv=sync,fsync 2>/dev/null`);
    });

    /** What its rules let pass: one of the two to its web server. */
    async function expectRules(): Promise<void> {
      const fetch = `exec 3<>/dev/tcp/${address}/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; grep -q hnet <&3`;
      const reached = guests.map(
        async one => (await one.attempt(['timeout', '3', 'bash', '-c', fetch])).code === 0,
      );
      expect(await Promise.all(reached)).to.deep.equal([false, true]);
    }

    it('keeps its connections with them, its rules and its disk, there and back, twice', async () => {
      const called = guests.map(one => Stream.open(one, address));
      const calls = guests.map((one, index) =>
        Stream.accept(one, 7000, () =>
          vm.sh(`nc ${BESIDE[index === 0 ? 0 : 1][0]} 7000 -e /bin/cat >/dev/null 2>&1 &`),
        ),
      );
      const streams = await Promise.all([...called, ...calls]);
      const ways = [stage.lab.internet, ...guests].flatMap(machine =>
        [address, address6].map(each => ({ machine, address: each })),
      );
      await expectRules();
      for (const number of [2, 1, 2, 1]) {
        const [from, to] = [vm.hypervisor, stage.host(number)];
        const losses = await lostDuring(ways, () => stage.cluster.migrate(vm, to, '--copy-storage-all'));
        expectFewLost(losses, `with its disk to ${to.name}`);
        await expectRules();
        await expectGood(stage);
        await expectGone(from, [await to.virsh('domuuid', vm.name), address, address6, 'br118']);
      }
      const courses = await Promise.all(streams.map(stream => stream.stop()));
      for (const [index, { sent, returned, wrong, failure }] of courses.entries())
        expect({ returned, wrong, failure }, `stream ${index}`).to.deep.equal({
          returned: sent,
          wrong: 0,
          failure: null,
        });
      expect(
        await vm.sh("dd if=/dev/vda bs=1M skip=9 count=1 iflag=direct 2>/dev/null | tr -d '\\0'"),
      ).to.equal('on the disk');
    });
  });
});
