import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { hnet, ok } from '../support/command.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { kernelSuite } from '../support/suite.ts';
import { layTunnel, seenFrom, TUNNEL, WAYS } from '../support/tunnel.ts';

const PRIVATE = '10.50.1.50';
const WANTED = [{ ip: PRIVATE, bridge: 'br50', scope: '10.50.1.0/24' }];
const MANY = Array.from({ length: 9 }, (_, place) => `198.18.${place}.0/24`);

/** The chains compare with few ranges by themselves, and look many up. */
for (const [backend, pools] of [
  ['iptables', []],
  ['nftables', []],
  ['nftables', MANY],
] as const)
  kernelSuite(
    `a private subnet that \`scopes\` doesn't hold (${backend}, ${pools.length} pools more)`,
    scene => {
      it('stays on the uplink beside a VPN, and nobody else on the host sends under its addresses', async () => {
        const config = `pools = ${JSON.stringify(['123.45.90.112/29', ...pools])}\nuplink = "eth0"\n[firewall]\nbackend = "${backend}"\n`;
        const one = await scene({ config });
        await layTunnel(one);
        await one.base();
        const libvirt = await FakeLibvirt.create(one);
        await one.prepare('vm1', WANTED);
        const guest = await one.host.guest({ name: 'vm1', bridge: 'br50' });
        await guest.sh(`ip address add ${PRIVATE}/24 dev eth0; ip route add default via 10.50.1.1`);
        await libvirt.run('vm1', { addresses: WANTED, taps: [{ bridge: 'br50', tap: 'vm1' }] });
        expect(await guest.ping(INTERNET)).to.equal(true);
        expect(await ok(one, 'sync')).to.deep.equal([]);

        await one.host.sh(
          `ip link add docker0 type bridge; ip link set docker0 up; ip address add 172.17.0.1/16 dev docker0`,
        );
        const container = await one.host.guest({ name: 'container', bridge: 'docker0' });
        await container.sh(`ip address add 172.17.0.2/16 dev eth0; ip address add ${PRIVATE}/32 dev eth0
        ip route add default via 172.17.0.1`);
        const received = () => one.host.sh('cat /sys/class/net/vm1/statistics/tx_packets');
        const before = await received();
        expect(await container.ping(one.host.address), 'as itself').to.equal(true);
        expect(await container.ping(one.host.address, PRIVATE)).to.equal(false);
        expect(await received(), 'answers that came to the VM').to.equal(before);

        const { up, down } = WAYS['an exit node of tailscale'] ?? { up: '', down: '' };
        await one.host.sh(up);
        await ok(one, 'sync');
        expect(await guest.ping(INTERNET), 'beside the VPN').to.equal(true);
        expect(await seenFrom(one, 4)).to.equal(TUNNEL.device);
        expect(await hnet(one, 'check')).to.include({ code: 0 });
        await one.host.sh(down);
        await ok(one, 'sync');
        expect(await one.host.run(['ip', 'rule'])).not.to.contain('proto 104');
      });
    },
  );
