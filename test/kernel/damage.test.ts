import { expect } from 'chai';
import fc from 'fast-check';
import { hnet } from '../support/command.ts';
import { damage, damageScript } from '../support/damage.ts';
import { uuidOf } from '../support/domain.ts';
import { FakeLibvirt, pluggedXml } from '../support/libvirt.ts';
import type { Scene } from '../support/scene.ts';
import { difference, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

/** So many hosts are damaged in each run of the tests, and as many as one likes by hand: HNET_DAMAGE=200. */
const ROUNDS = Number(process.env['HNET_DAMAGE'] ?? 5);

/** One that is simple, one that is alone with its addresses, one that has rules. */
const DOMAINS: Readonly<Record<string, string>> = {
  vm1: '<address ip="123.45.90.116" bridge="br116" scope="172.30.116.0/24"/>',
  vm2: `<address ip="123.45.53.12" bridge="br12" scope="172.30.12.0/24"/>
    <address ip="123.45.53.13" bridge="br12" scope="172.30.12.0/24"/><policy isolate="on"/>`,
  vm3: `<address ip="123.45.90.112/30" bridge="br112" scope="172.30.112.0/24"/>
    <policy inbound="deny"><rule>allow tcp/22</rule></policy>`,
};
const xmlOf = (name: string): string =>
  pluggedXml(name, {
    metadata: `<assignment xmlns="urn:hnet:1" domain="${uuidOf(name)}">${DOMAINS[name]}</assignment>`,
  });

for (const backend of ['iptables', 'nftables']) {
  kernelSuite(`whatever happens to hnet's own files (${backend})`, (_, share) => {
    const whole = share(async scene => running(await scene(), backend));

    it(`takes nothing from a domain that runs, and is repaired by one sync (${ROUNDS} times)`, async () => {
      const { one, before } = await whole();
      for (const damages of fc.sample(fc.array(damage, { minLength: 1, maxLength: 3 }), ROUNDS)) {
        const did = await one.host.sh(damageScript(damages));
        const { stderr } = await hnet(one, 'sync');
        const what = `${did.trim().replaceAll('\n', '; ')}\n${JSON.stringify(damages)}\n${stderr}`;
        expect(difference(before, await snapshot(one.host)), what).to.deep.equal([]);
        expect(await hnet(one, 'check'), what).to.include({ code: 0, stderr: '' });
      }
    });

    it(`takes nothing where libvirt can't be asked (${ROUNDS} times)`, async () => {
      const { one, before, libvirt } = await whole();
      for (const damages of fc.sample(fc.array(damage, { minLength: 1, maxLength: 3 }), ROUNDS)) {
        await libvirt.answers(false);
        const did = await one.host.sh(damageScript(damages));
        const { stderr } = await hnet(one, 'sync');
        const what = `${did.trim().replaceAll('\n', '; ')}\n${JSON.stringify(damages)}\n${stderr}`;
        const gone = difference(before, await snapshot(one.host)).filter(line => line.startsWith('- '));
        // Its files are what was damaged.
        expect(
          gone.filter(line => !line.startsWith('- /run/hnet/')),
          what,
        ).to.deep.equal([]);
        await libvirt.answers(true);
        await hnet(one, 'sync');
        expect(difference(before, await snapshot(one.host)), what).to.deep.equal([]);
      }
    });
  });
}

async function running(one: Scene, backend: string) {
  await one.configure(
    `pools = ["123.45.90.112/29", "123.45.53.11", "123.45.53.12", "123.45.53.13"]\n[firewall]\nbackend = "${backend}"\n`,
  );
  const libvirt = await FakeLibvirt.create(one);
  await one.base();
  const names = Object.keys(DOMAINS);
  for (const name of names) {
    const outcome = await one.hook('prepare', name, xmlOf(name));
    expect(outcome, name).to.deep.equal({ code: 0, stdout: '', stderr: '' });
  }
  await libvirt.runAll(new Map(names.map(name => [uuidOf(name), xmlOf(name)])));
  // A record that is rebuilt has no script: its release is the program's.
  await one.host.sh('rm /run/hnet/attachments/*.sh');
  await hnet(one, 'sync');
  return { one, libvirt, before: await snapshot(one.host) };
}
