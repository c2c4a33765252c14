import { expect } from 'chai';
import { Stage } from './stage.ts';

/** All that libvirt takes and a shell, an option parser, XML, or a number's reader might take for something else. */
const NAMES = [
  '$(id)',
  '-rf',
  '--help',
  'two  words',
  `"q" 'q'`,
  '<vm>&amp;',
  'ünïcode',
  '\\n %s',
  '007',
  '...',
];

/** A domain's name is any text; it is shown and nothing else. By libvirt's library and by virsh alike. */
describe('domains with strange names', () => {
  const stage = new Stage();

  for (const way of ['libvirt.so', 'virsh'] as const) {
    describe(`through ${way}`, () => {
      before(async () => {
        if (way === 'virsh') await stage.hv.run(['rm', '-r', '/usr/lib/hnet/node_modules']);
      });

      afterEach(() => stage.clean());

      for (const name of NAMES) {
        it(`serves one called ${name}`, async () => {
          await stage.hv.vm({ name, nic: { type: 'bridge', source: 'virbr0' }, boots: false });
          const uuid = (await stage.hv.virsh('list', '--all', '--uuid')).trim();
          await stage.ok('assign', '--', name, '123.45.90.116');
          await stage.hv.virsh('start', uuid);
          const [shown] = await stage.status();
          expect(shown).to.deep.include({ domain: name, state: 'running', faults: [] });
          expect(shown?.addresses.map(({ address }) => address)).to.deep.equal(['123.45.90.116']);
          expect(await stage.ok('status', '--', name)).to.include(name);
          await stage.hv.virsh('destroy', uuid);
          await stage.ok('unassign', '--', name);
          expect(await stage.hv.run(['ls', '/run/hnet/attachments'])).to.equal('');
          expect(await stage.xml(uuid)).not.to.include('urn:hnet');
        });
      }

      it('shows none of them when they have given their addresses back', async () => {
        for (const name of NAMES) await stage.hv.vm({ name, nics: [], boots: false });
        expect(await stage.ok('status')).to.include('No domain has an address');
      });
    });
  }

  // libvirt 9 refuses a newline, and of a domain called ".." it deletes its own directory; others may not.
  for (const name of ['..', '../../etc', 'a&#10;b', '&#27;[31m']) {
    it(`that libvirt itself stumbles over: brings up and takes down one called ${name}`, async () => {
      const uuid = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';
      const metadata = '<a:assignment xmlns:a="urn:hnet:1"><a:address ip="123.45.90.116"/></a:assignment>';
      const xml = `<domain><name>${name}</name><uuid>${uuid}</uuid><metadata>${metadata}</metadata></domain>`;
      const hook = (operation: string) =>
        stage.hv.attempt(['/etc/libvirt/hooks/qemu.d/hnet', name, operation, 'begin', '-'], { input: xml });
      expect(await hook('prepare')).to.deep.equal({ code: 0, stdout: '', stderr: '' });
      expect(await stage.hv.run(['ls', '/run/hnet/attachments'])).to.equal(`${uuid}.json\n${uuid}.sh`);
      expect(await stage.hv.run(['ip', 'route', 'show', '123.45.90.116'])).to.include('dev br116');
      expect(await hook('release')).to.deep.equal({ code: 0, stdout: '', stderr: '' });
      expect(await stage.hv.run(['ls', '/run/hnet/attachments'])).to.equal('');
      expect(await stage.hv.run(['ip', 'route', 'show', '123.45.90.116', 'type', 'unicast'])).to.equal('');
    });
  }
});
