import { expect } from 'chai';
import {
  assignArgv,
  doctorArgv,
  firewallArgv,
  fullArgv,
  guestArgv,
  initArgv,
  moveArgv,
  releaseArgv,
  reserveArgv,
  typed,
  unassignArgv,
} from '../../../cockpit/src/model/commands.ts';
import { readPools } from '../../../cockpit/src/model/first-run.ts';
import { readOffers } from '../../../cockpit/src/model/offers.ts';
import { family, readTree } from '../../support/tree.ts';

const UUID = '00000000-0000-4000-8000-000000000001';
const WEB = { uuid: UUID, domain: 'web' };
const NAMES = ['-rf', 'a\nb', 'safe‮gnp.exe', '​'];
const WISHES = { party: WEB, address: '123.45.90.113', nic: '', dhcp: '' };

describe('the commands of the page', () => {
  for (const [argv, line] of [
    [assignArgv(WISHES), 'hnet assign web 123.45.90.113'],
    [assignArgv({ ...WISHES, address: '' }), 'hnet assign web'],
    [
      assignArgv({ ...WISHES, nic: '52:54:00:12:34:56', dhcp: 'public' }),
      'hnet assign web 123.45.90.113 --nic 52:54:00:12:34:56 --dhcp public',
    ],
    [unassignArgv(WEB, '123.45.90.113'), 'hnet unassign web 123.45.90.113'],
    [moveArgv('123.45.90.113', WEB, { ...WEB, domain: 'my vm' }), "hnet move 123.45.90.113 web 'my vm'"],
    [reserveArgv('123.45.90.113', ''), 'hnet reserve 123.45.90.113'],
    [reserveArgv('123.45.90.113', '-shop'), 'hnet reserve -- 123.45.90.113 -shop'],
    [releaseArgv('123.45.90.113'), 'hnet reserve --delete 123.45.90.113'],
    [firewallArgv(WEB, ['allow', 'tcp/22']), 'hnet firewall web allow tcp/22'],
    [doctorArgv(WEB), 'hnet doctor web'],
    [guestArgv(WEB), 'hnet guest web --format all'],
    [
      initArgv(['123.45.90.112/29', '123.45.53.11']),
      'hnet init --yes --pool 123.45.90.112/29 --pool 123.45.53.11',
    ],
  ] as const)
    it(`are shown as one would type them: ${line}`, () => expect(typed(argv)).to.equal(line));

  it('name a VM by its UUID where its name cannot be typed, or hides something', () => {
    for (const domain of NAMES)
      expect(unassignArgv({ uuid: UUID, domain }, '1.2.3.4'), JSON.stringify(domain)).to.include(UUID);
    expect(unassignArgv({ uuid: UUID, domain: '$(id)' }, '1.2.3.4')).to.include('$(id)');
  });

  it('are of hnet, and ask for JSON before the words that are no options', async () => {
    const known = family(await readTree()).map(command => command.name());
    for (const argv of [assignArgv(WISHES), reserveArgv('1.2.3.4', 'x'), initArgv([]), doctorArgv(WEB)])
      expect(known).to.include(argv[0]);
    expect(fullArgv(reserveArgv('1.2.3.4', '-x'), '--json')).to.deep.equal([
      'hnet',
      'reserve',
      '--json',
      '--',
      '1.2.3.4',
      '-x',
    ]);
    expect(fullArgv(['sync'], '--json')).to.deep.equal(['hnet', 'sync', '--json']);
  });
});

describe('the first pools', () => {
  it('are read with anything between them', () => {
    expect(readPools(' 123.45.90.112/29, 123.45.53.11\n2001:db8:12:48::/64;')).to.deep.equal({
      pools: ['123.45.90.112/29', '123.45.53.11', '2001:db8:12:48::/64'],
      why: undefined,
    });
    expect(readPools('')).to.deep.equal({ pools: [], why: undefined });
  });

  it('are refused with the reason that hnet gives', () => {
    expect(readPools('123.45.90.113/29').why).to.equal(
      '"123.45.90.113/29" has host bits set: the subnet is 123.45.90.112/29',
    );
    expect(readPools('10.0.0.0/7').why).to.match(/^"10.0.0.0\/7" /);
  });
});

describe('what hnet tells those who are no administrators', () => {
  it('is a word and its meaning in each line', () => {
    expect(readOffers('web\t123.45.90.116\n123.45.90.113\n')).to.deep.equal([
      { word: 'web', meaning: '123.45.90.116' },
      { word: '123.45.90.113', meaning: '' },
    ]);
    expect(readOffers('')).to.deep.equal([]);
  });
});
