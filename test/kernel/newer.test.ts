import { expect } from 'chai';
import { digest } from '../../src/model/names.ts';
import { hnet } from '../support/command.ts';
import { domainXml, uuidOf } from '../support/domain.ts';
import { FakeLibvirt, pluggedXml } from '../support/libvirt.ts';
import type { Scene } from '../support/scene.ts';
import { difference, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

const ATTACHMENT = `/run/hnet/attachments/${uuidOf('vm1')}.json`;
const ACCOUNT = '/var/lib/hnet/addresses/123.45.90.116-32.json';
const WHY = 'it is of version 9, and this hnet reads version 2; install a newer hnet';

/** The same file as a newer hnet would have written it: another version, and whole. */
function newer(text: string): string {
  const rest = text.slice(text.indexOf('\n', 2) + 1).replace('"version": 2', '"version": 9');
  return `{\n  "sum": "${digest(rest)}",\n${rest}`;
}

/** After a downgrade there are files of the newer hnet, of domains that still run. */
kernelSuite('what a newer hnet has written', scene => {
  it('of a running domain stays, with all that the domain has, and is told', async () => {
    const { one, libvirt, text } = await running(await scene());
    await one.host.write(ATTACHMENT, newer(text));
    await one.host.sh('rm -f /run/hnet/attachments/*.sh');
    const before = await snapshot(one.host);
    const said = await hnet(one, 'check');
    expect(said.code).to.equal(3);
    expect(said.stdout).to.include(`Cannot read ${ATTACHMENT}: ${WHY}`);
    await hnet(one, 'sync');
    expect(difference(before, await snapshot(one.host))).to.deep.equal([]);
    // A stop can't know what to take down, and takes nothing.
    await one.hook('release', 'vm1', domainXml('vm1', { addresses: ['123.45.90.116'] }));
    await libvirt.end('vm1');
    await hnet(one, 'sync');
    expect(difference(before, await snapshot(one.host))).to.deep.equal([]);
    expect(await one.host.read(ATTACHMENT)).to.equal(newer(text).trimEnd());
    // The newer one, installed again, does.
    await one.host.write(ATTACHMENT, text);
    await hnet(one, 'sync');
    expect(await hnet(one, 'check')).to.include({ code: 0 });
    expect((await one.host.attempt(['ip', 'link', 'show', 'br116'])).code).to.equal(1);
  });

  it('of traffic stays, and is told', async () => {
    const { one } = await running(await scene());
    const account = `{"version":9,"domain":"${uuidOf('vm1')}","of":"a newer hnet"}`;
    await one.host.write(ACCOUNT, account);
    expect((await hnet(one, 'traffic')).stderr).to.equal(`hnet: Cannot read ${ACCOUNT}: ${WHY}`);
    await hnet(one, 'sync');
    await one.release('vm1');
    expect(await one.host.read(ACCOUNT)).to.equal(account);
  });
});

/** Version 0.1 wrote no version. */
kernelSuite('what hnet 0.1 has written', scene => {
  it('is read', async () => {
    const { one, text } = await running(await scene());
    const rest = text.slice(text.indexOf('\n', 2) + 1).replace('  "version": 2,\n', '');
    await one.host.write(ATTACHMENT, `{\n  "sum": "${digest(rest)}",\n${rest}`);
    expect(await hnet(one, 'check')).to.include({ code: 0, stderr: '' });
    await one.release('vm1');
    expect((await one.host.attempt(['test', '-e', ATTACHMENT])).code).to.equal(1);
  });
});

async function running(one: Scene) {
  const libvirt = await FakeLibvirt.create(one);
  await one.base();
  await one.prepare('vm1', ['123.45.90.116']);
  const metadata = `<assignment xmlns="urn:hnet:1" domain="${uuidOf('vm1')}"><address ip="123.45.90.116" bridge="br116" scope="172.30.116.0/24"/></assignment>`;
  await libvirt.runAll(new Map([[uuidOf('vm1'), pluggedXml('vm1', { metadata })]]));
  await hnet(one, 'sync');
  return { one, libvirt, text: `${await one.host.read(ATTACHMENT)}\n` };
}
