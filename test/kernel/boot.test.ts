import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { PATIENCE } from '../lab/wait.ts';
import { domainXml, uuidOf } from '../support/domain.ts';
import { POOLS6, type Scene } from '../support/scene.ts';
import { kernelSuite, type NewScene } from '../support/suite.ts';

const CONFIG = (backend: string) => `pools = ${JSON.stringify(POOLS6)}
[dhcp]
mode = "public"
boot_file = "undionly.kpxe"
ipxe = "http://172.30.116.1/boot.ipxe"
ntp = ["198.51.100.10", "2001:db8:ffff::10", "203.0.113.123"]
[firewall]
backend = "${backend}"
`;
const MAC = '52:54:00:00:00:01';

/** What a boot ROM of a network card says of itself, and what iPXE says besides: an option and a user class of its own. */
const ROM = ['-V', 'PXEClient:Arch:00000:UNDI:002001'];
const IPXE = [...ROM, '-x', '175:b105010af4100000', '-x', '77:69505845'];

/** A domain that starts, with an interface that libvirt knows, and perhaps a boot file of its own. */
async function started(one: Scene, boot = ''): Promise<void> {
  const addresses = ['123.45.90.116', '2001:db8:12:48::116'].map(
    ip => `<hnet:address ip="${ip}" bridge="br116" scope="172.30.116.0/24"/>`,
  );
  const metadata = `<hnet:assignment xmlns:hnet="urn:hnet:1" domain="${uuidOf('vm1')}">${boot}${addresses.join('')}</hnet:assignment>`;
  const xml = domainXml('vm1', { metadata, taps: [{ bridge: 'br116', tap: 'vm1' }] });
  expect(await one.hook('prepare', 'vm1', xml)).to.include({ code: 0, stderr: '' });
}

/** The verdict of tcpdump on the checksum of a server's answer, as its bytes are at the guest. */
async function checksumAt(guest: Guest): Promise<string> {
  const dump = guest.start(['tcpdump', '-l', '-nnvvv', '-i', 'eth0', '-Q', 'in', 'udp and dst port 68']);
  await dump.until(/listening on/, PATIENCE);
  await guest.dhcp();
  const answer = /\.67 > [\d.]+\.68: \[([^\]]*)\]/;
  await dump.until(answer, PATIENCE);
  return answer.exec(await dump.stop())?.[1] ?? '';
}

for (const [backend, checksum] of [
  ['iptables', /^udp sum ok$/],
  ['nftables', /^no cksum$/],
] as const) {
  kernelSuite(`a system that boots by network (${backend})`, (_, share) => {
    const whole = share(async (scene: NewScene) => {
      const one = await scene({ pools: POOLS6, config: CONFIG(backend) });
      await one.base();
      await started(one);
      return { one, guest: await one.host.guest({ name: 'vm1', bridge: 'br116', mac: MAC }) };
    });

    it('gets a lease that its ROM can use, what to load, and then its public address, in turns', async () => {
      const { guest } = await whole();
      for (let turn = 0; turn < 3; turn++) {
        const rom = await guest.dhcp(...ROM);
        expect(rom).to.include({ mask: '24', router: '172.30.116.1', staticroutes: '', lease: '120' });
        expect(rom.ip).to.match(/^172\.30\.116\.\d+$/);
        expect(rom).to.include({ siaddr: '172.30.116.1', boot_file: 'undionly.kpxe' });
        const ipxe = await guest.dhcp(...IPXE);
        expect(ipxe).to.include({ ip: rom.ip, boot_file: 'http://172.30.116.1/boot.ipxe' });
        const system = await guest.dhcp();
        expect(system).to.include({ ip: '123.45.90.116', mask: '32', boot_file: '', mtu: '1500' });
        expect(system.ntpsrv).to.equal('198.51.100.10 203.0.113.123');
      }
    });

    it('hears of time servers by DHCPv6 too', async () => {
      const { guest } = await whole();
      await guest.write(
        '/run/dhclient.conf',
        'option dhcp6.times code 56 = string;\nalso request dhcp6.times;\n',
      );
      await guest.sh('touch /run/leases6; printf "#!/bin/sh\\nexit 0\\n" >/run/hook6; chmod +x /run/hook6');
      const files = [
        '-cf',
        '/run/dhclient.conf',
        '-lf',
        '/run/leases6',
        '-pf',
        '/run/dhclient6.pid',
        '-sf',
        '/run/hook6',
      ];
      await guest.run(['dhclient', '-6', '-1', ...files, 'eth0']);
      // Sub-option 1 (RFC 5908, 4.1), 16 bytes long.
      expect(await guest.read('/run/leases6')).to.match(
        /option dhcp6.times 0:1:0:10:20:1:d:b8:ff:ff:0:0:0:0:0:0:0:0:0:10;/,
      );
      await guest.sh('kill $(cat /run/dhclient6.pid)');
    });

    it("gets DHCP's answers with a checksum that raw sockets take", async () => {
      expect(await checksumAt((await whole()).guest)).to.match(checksum);
    });

    it('gets what its own metadata says, iPXE too', async () => {
      const { one, guest } = await whole();
      await one.release('vm1');
      await started(one, '<hnet:boot>rescue.ipxe</hnet:boot>');
      await guest.plug('br116');
      for (const words of [ROM, IPXE])
        expect(await guest.dhcp(...words)).to.include({ siaddr: '172.30.116.1', boot_file: 'rescue.ipxe' });
    });
  });
}
