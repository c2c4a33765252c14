import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { Capture } from '../support/capture.ts';
import { type Scene, VARIANTS } from '../support/scene.ts';
import { isAnswered } from '../support/silence.ts';
import { kernelSuite } from '../support/suite.ts';

for (const variant of VARIANTS) {
  kernelSuite(`traffic (${variant})`, scene => {
    it('reaches a static guest from outside, and lets it out with its own address', async () => {
      const one = await scene({ variant });
      const guest = await one.start('vm1', '123.45.90.116');
      expect(await one.lab.internet.ping('123.45.90.116')).to.equal(true);
      const capture = await Capture.start(one.lab.internet, 'eth0', 'icmp');
      expect(await guest.ping(INTERNET)).to.equal(true);
      const seen = await capture.until(/echo request/);
      expect(seen).to.contain(`IP 123.45.90.116 > ${INTERNET}: ICMP echo request`);
    });

    it('leases a bootstrap address, translated to the host', async () => {
      const one = await scene({ variant });
      await one.prepare('vm1', ['123.45.90.116']);
      const guest = await one.host.guest({ name: 'vm1', bridge: 'br116' });
      const lease = await guest.dhcp();
      expect(lease).to.include({
        router: '172.30.116.1',
        dns: '123.45.200.10 9.9.9.9',
        domain: 'lan',
        lease: '3600',
        serverid: '172.30.116.1',
      });
      expect(lease.ip).to.match(/^172\.30\.116\.\d+$/);
      const octet = Number(lease.ip.split('.').at(-1));
      expect(octet).to.be.within(10, 200);
      const capture = await Capture.start(one.lab.internet, 'eth0', 'icmp');
      expect(await guest.ping(INTERNET)).to.equal(true);
      const seen = await capture.until(/echo request/);
      expect(seen).to.contain(`IP ${one.host.address} > ${INTERNET}: ICMP echo request`);
    });

    it('lets two domains reach each other, on the first and last address of the subnet', async () => {
      const one = await scene({ variant });
      const low = await one.start('vm1', '123.45.90.112');
      const high = await one.start('vm2', '123.45.90.119');
      for (const address of ['123.45.90.112', '123.45.90.119']) {
        expect(await one.lab.internet.ping(address), address).to.equal(true);
      }
      expect(await low.ping('123.45.90.119')).to.equal(true);
      expect(await high.ping('123.45.90.112')).to.equal(true);
      expect(await one.host.ping('123.45.90.119'), 'the host itself').to.equal(true);
    });

    it('lets a guest on its lease reach another domain', async () => {
      const one = await scene({ variant });
      await one.start('vm1', '123.45.90.112');
      await one.prepare('vm2', ['123.45.90.116']);
      const leased = await one.host.guest({ name: 'vm2', bridge: 'br116' });
      await leased.dhcp();
      expect(await leased.ping('123.45.90.112')).to.equal(true);
    });

    it('keeps domains apart where between_domains is false', async () => {
      const config = 'pools = ["123.45.90.112/29"]\n[firewall]\nbetween_domains = false\n';
      const one = await scene({ variant, config });
      const first = await one.start('vm1', '123.45.90.116');
      const second = await one.start('vm2', '123.45.90.117');
      expect(await first.ping(INTERNET)).to.equal(true);
      expect(await one.lab.internet.ping('123.45.90.117')).to.equal(true);
      expect(await isAnswered(first, '123.45.90.117')).to.equal(false);
      expect(await isAnswered(second, '123.45.90.116')).to.equal(false);
    });

    it('answers what comes to the lease from outside with silence', async () => {
      const one = await scene({ variant });
      await one.prepare('vm1', ['123.45.90.116']);
      // With the host, at the end, this route of its goes too.
      await one.lab.gateway.run(['ip', 'route', 'replace', '172.30.116.0/24', 'via', one.host.address]);
      const guest = await one.host.guest({ name: 'vm1', bridge: 'br116' });
      const { ip: inside } = await guest.dhcp();
      expect(await guest.ping(INTERNET)).to.equal(true);
      expect(await isAnswered(one.lab.internet, inside)).to.equal(false);
    });
  });
}

kernelSuite('pool addresses that nobody holds', scene => {
  it('end in a blackhole, before a start, after it, and once the route goes', async () => {
    const one = await scene();
    await one.base();
    expect(await comesBack(one, '123.45.90.115')).to.equal(false);
    await one.start('vm1', '123.45.90.116');
    expect(await comesBack(one, '123.45.53.12')).to.equal(false);
    expect(await one.lab.internet.ping('123.45.90.116')).to.equal(true);
    await one.host.run(['ip', 'route', 'del', '123.45.90.116', 'dev', 'br116']);
    expect(await comesBack(one, '123.45.90.116')).to.equal(false);
    // Without the blackhole the packet does come back: so what is counted above is what it is taken for.
    await one.host.run(['ip', 'route', 'del', 'blackhole', '123.45.53.12', 'metric', '1000000']);
    expect(await comesBack(one, '123.45.53.12')).to.equal(true);
  });
});

/** Whether a packet to this address returns from the host to the provider; a ping of the host marks the end. */
async function comesBack({ lab, host }: Scene, address: string): Promise<boolean> {
  const capture = await Capture.start(lab.gateway, host.name, '-Q in icmp');
  await isAnswered(lab.internet, address);
  await until(() => lab.internet.ping(host.address), PATIENCE, 'an answer of the host');
  const seen = await capture.until(/echo reply/);
  await capture.stop();
  return seen.includes(`> ${address}: ICMP`);
}
