import { expect } from 'chai';
import { pressTab } from '../support/tab.ts';
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

  describe('at TAB', () => {
    /** Where an installation puts the scripts each shell looks by itself. */
    const SET_UP = {
      bash: 'source /usr/share/bash-completion/bash_completion',
      zsh: 'autoload -Uz compinit; compinit -u -D',
      fish: 'true',
    };
    const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', 'env', 'HOME=/tmp'];
    const MAC = '52:54:00:12:34:56';
    const LINES = [
      'hnet plan ',
      'hnet unassign vm1 ',
      'hnet assign vm1 123.45.53.',
      'hnet assign vm1 --nic ',
      'hnet firewall vm1 delete ',
    ];
    let uuid = '';

    before(async () => {
      await stage.hv.vm({ name: 'vm1', nic: { type: 'bridge', source: 'virbr0', mac: MAC }, boots: false });
      await stage.hv.vm({ name: 'two  words', nics: [], boots: false });
      await stage.hv.vm({ name: '-rf', nics: [], boots: false });
      uuid = /<uuid>(.*)<\/uuid>/.exec(await stage.xml('-rf'))?.[1] ?? '';
      await stage.hv.run(['install', '-m', '755', '/root/hnet/test/support/press-tab.zsh', '/tmp']);
      await stage.ok('assign', 'vm1', '123.45.90.116');
      await stage.ok('firewall', 'vm1', 'allow', 'tcp/22');
    });
    after(() => stage.clean());

    for (const [shell, who, as] of [
      ['bash', 'root', []],
      ['bash', 'everybody', NOBODY],
      ['zsh', 'everybody', NOBODY],
      ['fish', 'everybody', NOBODY],
    ] as const)
      it(`${shell} offers ${who} what hnet knows`, async () => {
        const run = (argv: readonly string[]) => stage.hv.run([...as, ...argv]);
        const [domains, held, free, mac, rule] = (
          await pressTab(run, shell, SET_UP, LINES, '/tmp/press-tab.zsh')
        ).map(({ shown, line }) => `${shown}${line}`);
        expect(domains)
          .to.match(/vm1/)
          .and.to.match(/two( |\\ ){2}words/)
          .and.include(uuid)
          .and.not.match(/-rf$/m);
        expect(held).to.include('123.45.90.116');
        for (const one of ['11', '12', '13']) expect(free).to.include(`123.45.53.${one}`);
        expect(mac).to.include(MAC);
        // The others take the only one there is.
        expect(rule).to.match(shell === 'fish' ? /^1\tallow tcp\/22/ : /delete 1/);
      });
  });

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
