import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Lab } from '../lab/lab.ts';
import { expectSuccess } from '../lab/run.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { ensureBuilt } from '../support/build.ts';
import { provideFirewalld } from '../support/firewalld.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const [FIXED, FIXED6, LEASED6] = ['123.45.90.116', '2001:db8:12:48::116', '2001:db8:12:48::118'];
const POLICY = '/etc/firewalld/policies';
/** Somebody else's rules, which a reload of firewalld would flush if nobody saw to them. */
const CANARIES = `iptables -N CANARY
  iptables -A CANARY -s 203.0.113.0/24 -j RETURN
  iptables -A FORWARD -j CANARY
  iptables -t nat -A POSTROUTING -s 10.77.0.0/16 -j MASQUERADE
  ip6tables -A INPUT -s 2001:db8:77::/64 -j DROP
  ebtables -A FORWARD -p arp -s 02:00:00:00:00:77 -j DROP`;
const SHOW = `iptables-save; ip6tables-save; ebtables-save`;

for (const backend of ['nftables', 'iptables']) {
  describe(`firewalld beside ${backend}`, () => {
    let lab: Lab;
    let hv: Awaited<ReturnType<Lab['hypervisor']>>;
    let untouched: string;
    let settings: string;
    before(async () => {
      await ensureBuilt();
      lab = await Lab.create();
      hv = await lab.hypervisor('h1', { copy: { '/root/hnet': PROJECT } });
      await hv.run(['rm', '-r', '/root/hnet/node_modules/esbuild']);
      await provideFirewalld(hv);
      await hv.sh('systemctl enable --now firewalld');
      await hv.sh('firewall-cmd --permanent --add-service=https; firewall-cmd --reload');
      await hv.sh(CANARIES);
      untouched = await foreign();
      for (const rule of ['-j CANARY', '-j MASQUERADE', '2001:db8:77::/64', '02:00:00:00:00:77'])
        expect(untouched).to.contain(rule);
      settings = await hv.sh('firewall-cmd --list-all; firewall-cmd --get-policies');
      await hv.write(
        '/etc/hnet/hnet.toml',
        `pools = ["123.45.90.112/29", "2001:db8:12:48::/64"]\n[firewall]\nbackend = "${backend}"\n`,
      );
      await hv.run(['/root/hnet/install.sh', '--yes']);
      // They would repair what these tests take away.
      await hv.run(['systemctl', 'disable', '--now', 'hnet-watch', 'hnet-sync']);
    });
    after(() => lab.remove());

    it('gets policies of ours, permanent and in effect', async () => {
      for (const permanent of [[], ['--permanent']]) {
        const policies = await hv.run(['firewall-cmd', ...permanent, '--get-policies']);
        expect(policies.split(' ')).to.include.members(['hnet', 'hnet-dhcp']);
        const rules = await hv.run(['firewall-cmd', ...permanent, '--policy=hnet', '--list-rich-rules']);
        expect(rules.split('\n').sort()).to.deep.equal([
          'rule family="ipv4" destination address="123.45.90.112/29" accept',
          'rule family="ipv4" source address="123.45.90.112/29" accept',
          'rule family="ipv4" source address="172.30.0.0/16" accept',
          'rule family="ipv6" destination address="2001:db8:12:48::/64" accept',
          'rule family="ipv6" source address="2001:db8:12:48::/64" accept',
        ]);
      }
    });

    it("keeps everybody else's settings, and the rules that others have beside it", async () => {
      expect(
        await hv.sh("firewall-cmd --list-all; firewall-cmd --get-policies | sed 's/hnet hnet-dhcp //'"),
      ).to.equal(settings);
      expect(await foreign()).to.equal(untouched);
    });

    it('lets a static domain and leases of both families through', async () => {
      // One of them boots; who talks beside it is a guest without a kernel of its own.
      await hv.vm({ name: 'vm1', nic: { type: 'bridge', source: 'br116' }, boots: false });
      await hv.vm({ name: 'vm2', nic: { type: 'bridge', source: 'br117' }, boots: false });
      const client6 = await hv.vm({
        name: 'vm3',
        nic: { type: 'bridge', source: 'br118' },
        append: 'mode=dhcp6',
      });
      await hnet('assign', 'vm1', FIXED, FIXED6);
      await hnet('assign', 'vm2', '123.45.90.117');
      await hnet('assign', 'vm3', LEASED6);
      for (const name of ['vm1', 'vm2', 'vm3']) await hv.virsh('start', name);
      const fixed = await hv.guest({ name: 'fixed', bridge: 'br116' });
      await fixed.static(FIXED, hv.address);
      await fixed.static(FIXED6, 'fe80::1');
      const client = await hv.guest({ name: 'client', bridge: 'br117' });
      expect((await client.dhcp()).ip).to.match(/^172\.30\.117\./);
      expect(await client6.ready()).to.equal(`dhcp6 ${LEASED6}`);
      await expectReached('inwards');
      expect(await fixed.ping(INTERNET), 'outwards').to.equal(true);
      expect(await fixed.ping(INTERNET6), 'outwards').to.equal(true);
      expect(await client.ping(INTERNET), 'outwards with the lease').to.equal(true);
      expect(await client6.ping(INTERNET6), 'outwards with the lease').to.equal(true);
      expect(await client.ping(FIXED), 'to each other').to.equal(true);
      expect(await client6.ping(FIXED6), 'to each other').to.equal(true);
    });

    it('does so after a reload and after a restart, once the base is up again', async () => {
      for (const command of ['firewall-cmd --reload', 'systemctl restart firewalld']) {
        await hv.sh(command);
        await until(
          async () => (await hv.attempt(['firewall-cmd', '--state'])).code === 0,
          PATIENCE,
          'firewalld',
        );
        if (backend === 'nftables') await expectReached(`after ${command}`);
        // Every rule of iptables is gone with that, whoever made it; nftables' aren't.
        if (backend === 'iptables') await hnet('base', 'up');
        else expect(await hnet('base', 'up'), command).to.equal('');
        await expectReached(`after ${command}`);
      }
    });

    for (const service of ['hnet-sync', 'hnet-watch']) {
      it(`needs no hand for that where ${service} runs`, async () => {
        await hv.run(['systemctl', 'enable', '--now', service]);
        const isFlushed = async () => !(await hv.run(['iptables-save'])).includes('203.0.113.99');
        for (const verb of ['reload', 'restart']) {
          await hv.sh('iptables -I FORWARD -s 203.0.113.99 -j RETURN');
          await hv.run(['systemctl', verb, 'firewalld']);
          // It takes the rules of iptables away, and nothing of nftables' but its own.
          if (backend === 'iptables') await until(isFlushed, PATIENCE, `the end of all rules, by a ${verb}`);
          await hv.sh('iptables -D FORWARD -s 203.0.113.99 -j RETURN 2>/dev/null || true');
          const whole = async () => (await attempt('check')).code === 0;
          await until(whole, PATIENCE, `the end of the repairs after a ${verb}`);
          await expectReached(`after a ${verb}`);
        }
        await hv.run(['systemctl', 'disable', '--now', service]);
      });
    }

    it('gets its policies back from hnet-watch, also where it came after it', async () => {
      await hv.sh('systemctl stop firewalld; mv /etc/firewalld /etc/firewalld.later');
      await hv.run(['systemctl', 'enable', '--now', 'hnet-sync', 'hnet-watch']);
      const daemon = async () => hv.run(['systemctl', 'show', '-P', 'MainPID', 'hnet-watch']);
      const before = await daemon();
      await hv.sh('mv /etc/firewalld.later /etc/firewalld; systemctl start firewalld');
      // hnet-sync, which firewalld's start wants, starts it anew.
      await until(async () => !['0', before].includes(await daemon()), PATIENCE, 'another hnet-watch');
      const whole = async () => (await hv.attempt(['hnet', 'check'])).code === 0;
      await until(whole, PATIENCE, 'the repairs after its start');
      // The service alone must write them now.
      await hv.run(['systemctl', 'disable', '--now', 'hnet-sync']);
      await hv.sh(`rm ${POLICY}/hnet*.xml; firewall-cmd --reload`);
      const back = async () =>
        (await hv.attempt(['sh', '-c', `ls ${POLICY}/hnet.xml ${POLICY}/hnet-dhcp.xml`])).code === 0;
      await until(async () => (await back()) && (await whole()), PATIENCE, 'the policies');
      await expectReached('with policies written by the service');
      await hv.run(['systemctl', 'disable', '--now', 'hnet-watch']);
    });

    it('loads them anew, once, when the pools change', async () => {
      await hv.sh(
        'sed -i \'s,^pools = .*,pools = ["123.45.90.112/29"\\, "123.45.53.11"\\, "2001:db8:12:48::/64"],\' /etc/hnet/hnet.toml',
      );
      expect(await hnet('base', 'up')).to.contain('firewalld policies');
      const rules = await hv.run(['firewall-cmd', '--policy=hnet', '--list-rich-rules']);
      expect(rules).to.contain('source address="123.45.53.11" accept');
      expect(await hnet('base', 'up')).to.equal('');
      await expectReached('with other pools');
    });

    it('has nothing of ours when the base is down', async () => {
      for (const name of ['vm1', 'vm2', 'vm3']) await hv.virsh('destroy', name);
      await hv.sh(CANARIES);
      await hnet('base', 'down');
      expect(await hv.sh(`ls ${POLICY}`)).to.equal('');
      expect(await hv.sh('firewall-cmd --list-all; firewall-cmd --get-policies')).to.equal(settings);
      expect(
        (await hv.sh('nft list ruleset'))
          .split('\n')
          .filter(line => line.includes('hnet'))
          .join('\n'),
      ).to.equal('');
      expect(await foreign()).to.equal(untouched);
    });

    const attempt = (...words: string[]) =>
      hv.attempt(['hnet', ...words], {
        env: { NODE_OPTIONS: '--require=/root/hnet/test/support/compiled.cjs' },
      });
    const hnet = async (...words: string[]) => expectSuccess(['hnet', ...words], await attempt(...words));

    /** From the Internet, in both families. */
    async function expectReached(when: string): Promise<void> {
      for (const address of [FIXED, FIXED6, LEASED6])
        expect(await lab.internet.ping(address), `${address} ${when}`).to.equal(true);
    }

    /** Their rules, in their order, without ours, tables that hold nothing, and counters. */
    async function foreign(): Promise<string> {
      const lines = (await hv.sh(SHOW)).split('\n').filter(line => !/^#|hnet/.test(line));
      return lines
        .map(line => line.replace(/\[\d+:\d+\]/, '[0:0]'))
        .join('\n')
        .replaceAll(/^\*\w+\n(:[A-Z]+ ACCEPT( \[0:0\])?\n)*(COMMIT\n)?/gm, '');
    }
  });
}
