import { expect } from 'chai';
import type { Background } from '../lab/background.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { breaches } from '../support/promised.ts';
import { Stage } from './stage.ts';

const [FIRST, SECOND] = ['123.45.90.116', '123.45.90.117'];

interface Entry {
  readonly at: string;
  readonly is: string;
  readonly address: string;
  readonly domain: string;
}

/** A line of the monitor, by what tests ask of it. */
interface Line {
  readonly type: string;
  readonly at: string;
  readonly [key: string]: unknown;
}

describe('what happens to addresses', () => {
  const stage = new Stage();

  async function domain(name: string): Promise<void> {
    await stage.hv.vm({ name, nic: { type: 'bridge', source: 'virbr0' }, boots: false });
  }
  const entries = async (...about: readonly string[]): Promise<readonly Entry[]> =>
    (await stage.json<{ entries: readonly Entry[] }>('history', ...about)).entries;
  const told = async (...about: readonly string[]): Promise<string[]> =>
    (await entries(...about)).map(one => `${one.is} ${one.address} ${one.domain}`);

  before(async () => {
    for (const name of ['vm1', 'vm2', 'web']) await domain(name);
  });

  it('is kept, by whom and when, over start, move, restart and stop', async () => {
    await stage.ok('assign', 'vm1', FIRST);
    await stage.hv.virsh('start', 'vm1');
    await stage.ok('assign', 'vm2', SECOND);
    await stage.hv.virsh('start', 'vm2');
    await stage.ok('move', FIRST, 'vm1', 'vm2');
    await stage.hv.virsh('destroy', 'vm2');
    const expected = [`assign ${FIRST} vm1`, `start ${FIRST} vm1`, `move ${FIRST} vm2`, `stop ${FIRST} vm2`];
    await until(async () => (await told(FIRST)).length === expected.length, PATIENCE, 'the stop to be noted');
    expect(await told(FIRST)).to.deep.equal(expected);
    expect((await told('vm2')).toSorted()).to.deep.equal(
      [`assign ${SECOND} vm2`, `start ${SECOND} vm2`, ...expected.slice(2), `stop ${SECOND} vm2`].toSorted(),
    );
  });

  it('answers who had an address at a moment', async () => {
    const all = await entries(FIRST);
    const at = (is: string): string => all.find(one => one.is === is)?.at ?? '';
    const holders = async (moment: string) =>
      (
        await stage.json<{ holders: { domain: string; kind: string; until: string | null }[] }>(
          'history',
          FIRST,
          '--at',
          moment,
        )
      ).holders.map(({ domain: name, kind }) => `${name} ${kind}`);
    expect(await holders(at('assign'))).to.deep.equal(['vm1 assigned']);
    expect(await holders(at('start'))).to.deep.equal(['vm1 up']);
    expect(await holders(at('move'))).to.deep.equal(['vm2 up']);
    expect(await holders(at('stop'))).to.deep.equal(['vm2 assigned']);
    expect(await holders('2001-01-01')).to.deep.equal([]);
    expect(await stage.ok('history', FIRST, '--at', '2001-01-01')).to.contain(
      'Nobody knows: the journal begins',
    );
    expect(await stage.ok('history', FIRST, '--at', at('start'))).to.match(
      /^123\.45\.90\.116: vm1 \(\S+\), up from \S+ \S+Z until \S+ \S+Z$/m,
    );
    expect((await stage.hnet('history', FIRST, '--at', 'yesterday')).code).to.equal(2);
  });

  it('says whose an address is, and was', async () => {
    const { state, last } = await stage.json<{ state: string; last: { domain: string } }>('whois', FIRST);
    expect(state).to.equal('assigned');
    expect(last.domain).to.equal('vm2');
    expect(await stage.ok('whois', '123.45.90.118')).to.equal(
      '123.45.90.118: free, of the pool 123.45.90.112/29',
    );
    expect(await stage.ok('whois', stage.hv.address)).to.contain('in no pool');
    expect((await stage.ok('ip', 'vm2')).split('\n').sort()).to.deep.equal([FIRST, SECOND]);
    expect((await stage.hnet('ip', 'vm2', '-6')).code).to.equal(1);
    expect(await stage.json('traffic', '--by', 'month')).to.have.property('months');
    const { versions } = await stage.json<{ versions: { libvirt: string } }>('info');
    expect(versions.libvirt).to.match(/^\d+\.\d+/);
    expect(await stage.ok('info')).to.match(/^backend +(iptables|nftables)$/m);
  });

  it('keeps an address for a name', async () => {
    await stage.ok('reserve', '123.45.90.119', 'web');
    await stage.ok('reserve', '123.45.90.112');
    const refused = await stage.hnet('assign', 'vm1', '123.45.90.119');
    expect(refused.stderr).to.contain('123.45.90.119 is reserved for "web"');
    await stage.ok('assign', 'vm1');
    expect(await stage.ok('ip', 'vm1')).to.equal('123.45.90.113');
    await stage.ok('assign', 'web');
    expect(await stage.ok('ip', 'web')).to.equal('123.45.90.119');
    expect((await stage.hnet('move', '123.45.90.119', 'web', 'vm1')).code).to.equal(1);
    expect(await stage.ok('pool')).to.match(/123\.45\.90\.112 +reserved +\(for nobody\)/);
    const { reservations } = await stage.json<{ reservations: unknown[] }>('reserve');
    expect(reservations).to.have.length(2);
    await stage.ok('reserve', '--delete', '123.45.90.112');
    expect((await stage.hnet('reserve', '--delete', '123.45.90.112')).code).to.equal(1);
  });

  it('prints the XML of a domain that has its address from its first start on', async () => {
    await stage.ok('reserve', '123.45.53.11', 'template');
    const [metadata = '', nic = ''] = (await stage.ok('xml', '123.45.53.11')).split(/(?<=<\/metadata>)\n/);
    const like = (await stage.xml('web', '--inactive'))
      .replace(/<name>.*<\/name>/, '<name>template</name>')
      .replace(/<uuid>.*<\/uuid>/, '')
      .replace(/<metadata>[\s\S]*<\/metadata>/, metadata)
      .replace(/<interface[\s\S]*<\/interface>/, nic);
    await stage.hv.write('/root/template.xml', like);
    await stage.hv.virsh('define', '/root/template.xml');
    await stage.hv.virsh('start', 'template');
    expect(await stage.hv.run(['ip', 'route', 'get', '123.45.53.11'])).to.contain('dev br11 ');
    expect((await stage.hnet('check')).code).to.equal(0);
    await stage.hv.virsh('destroy', 'template');
    await stage.hv.virsh('undefine', 'template');
    // Another with the same metadata doesn't start.
    await stage.hv.write('/root/template.xml', like.replace('<name>template', '<name>copy'));
    await stage.hv.virsh('define', '/root/template.xml');
    expect((await stage.hv.attempt(['virsh', 'start', 'copy'])).stderr).to.contain(
      'is reserved for "template"',
    );
    await stage.hv.virsh('undefine', 'copy');
  });

  describe('as it happens', () => {
    let monitor: Background;
    const lines = (): Line[] =>
      monitor.output
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line) as Line);
    const line = async (what: string, isIt: (one: Line) => boolean): Promise<Line> => {
      await until(async () => lines().some(isIt), PATIENCE, what);
      return lines().find(isIt) as Line;
    };
    const holds = (one: Line, ...texts: readonly string[]): boolean =>
      texts.every(text => JSON.stringify(one).includes(text));

    before(async () => {
      await stage.hv.sh(`mkdir -p /etc/hnet/events.d
        printf '#!/bin/sh\\necho "$HNET_EVENT $HNET_ADDRESS $HNET_DOMAIN" >>/run/told; cat >>/run/told.json\\n' >/etc/hnet/events.d/10-note
        printf '#!/bin/sh\\necho oops; exit 3\\n' >/etc/hnet/events.d/20-fails
        printf '#!/bin/sh\\necho never >>/run/told\\n' >/etc/hnet/events.d/30-foreign
        chmod 755 /etc/hnet/events.d/*; chown nobody /etc/hnet/events.d/30-foreign`);
      await stage.hv.run(['systemctl', 'enable', '--now', 'hnet-watch']);
      monitor = stage.hv.start(['hnet', 'monitor', '--json', '--every', '1']);
    });
    after(async () => {
      await monitor.stop();
      await stage.withoutServices();
    });

    it('begins with everything, and every line keeps to its schema', async () => {
      const state = await line('the state', ({ type }) => type === 'state');
      expect(holds(state, '"domain":"vm2"', FIRST, '"pool":"123.45.90.112/29"', '"backend"')).to.equal(true);
      await line('counters', ({ type }) => type === 'counters');
      for (const one of lines()) expect(breaches('monitor', one)).to.equal('');
    });

    it('tells of a start, and so do the programs in events.d', async () => {
      await stage.hv.virsh('destroy', 'vm1');
      // A stop and a start between two looks change nothing.
      await line(
        'a domain that has stopped',
        one => one.type === 'domain' && holds(one, '"domain":"vm1"') && !holds(one, '"state":"running"'),
      );
      await stage.hv.virsh('start', 'vm1');
      await line(
        'a domain that runs',
        one => one.type === 'domain' && holds(one, '"state":"running"', '"domain":"vm1"'),
      );
      await line('its start', one => one.type === 'happened' && holds(one, '"is":"start"', '"domain":"vm1"'));
      await until(
        async () => (await stage.hv.sh('cat /run/told 2>/dev/null || :')).includes('up 123.45.90.113 vm1'),
        PATIENCE,
        'the program in events.d',
      );
      const [first = ''] = (await stage.hv.sh('grep vm1 /run/told.json')).split('\n');
      expect(breaches('event', JSON.parse(first))).to.equal('');
      const log = async () => stage.hv.run(['journalctl', '-u', 'hnet-watch', '--no-pager', '-o', 'cat']);
      await until(async () => (await log()).includes('20-fails for up'), PATIENCE, 'the log of what failed');
      expect(await log()).to.contain('20-fails, up of 123.45.90.113 at "vm1": oops');
      expect(await log()).to.match(/Cannot run .*20-fails for up of 123\.45\.90\.113 at "vm1": exit code 3/);
      expect(await log()).to.match(/Cannot run .*30-foreign: .* belongs to the user/);
      expect(await stage.hv.sh('cat /run/told')).not.to.contain('never');
    });

    it('tells of what is repaired', async () => {
      await stage.hv.run(['ip', 'route', 'del', '123.45.90.113']);
      await line(
        'the repair',
        one => one.type === 'happened' && holds(one, '"is":"repaired"', '123.45.90.113'),
      );
      await until(
        async () => (await stage.hv.sh('cat /run/told')).includes('repaired'),
        PATIENCE,
        'the program in events.d',
      );
    });

    it('tells of a route that is deleted behind its back within two seconds, where nobody repairs it', async () => {
      await stage.hv.run(['systemctl', 'stop', 'hnet-watch']);
      const isFault = (one: Line): boolean =>
        one.type === 'domain' && holds(one, '123.45.90.113', 'route', 'missing');
      // A fault that stands isn't told twice: that of the route before may, until it has been seen to be repaired.
      const isWell = (): boolean =>
        lines()
          .filter(one => one.type === 'domain' && holds(one, '"domain":"vm1"'))
          .slice(-1)
          .some(one => holds(one, '"faults":[]'));
      await until(async () => isWell(), PATIENCE, 'vm1 to be well');
      const before = lines().filter(isFault).length;
      const at = Date.now();
      await stage.hv.run(['ip', 'route', 'del', '123.45.90.113']);
      await until(async () => lines().filter(isFault).length > before, PATIENCE, 'the fault');
      const seen = Date.parse(lines().filter(isFault).at(-1)?.at ?? '') - at;
      // Two seconds on a quiet machine; here others work beside.
      expect(seen).to.be.below(10_000);
      await stage.ok('sync');
      await line(
        'that all is well',
        one =>
          one.type === 'domain' &&
          Date.parse(one.at) > at + seen &&
          holds(one, '"domain":"vm1"', '"faults":[]'),
      );
      for (const one of lines()) expect(breaches('monitor', one)).to.equal('');
    });

    it('is on the screen too', async () => {
      await stage.hv.run(['mkfifo', '/run/keys']);
      const screen = stage.hv.sh(
        `script -qfec 'stty rows 40 cols 200; hnet top --every 1' /run/screen </run/keys >/dev/null`,
      );
      await stage.hv.sh(
        'exec 3>/run/keys; until grep -q 123.45.90.113 /run/screen; do sleep 0.1; done; printf q >&3',
      );
      await screen;
    });

    it('notes what nobody has noted', async () => {
      await stage.hv.sh('rm /var/lib/hnet/journal/*');
      await stage.ok('sync');
      expect(await told('vm1')).to.deep.equal(['runs 123.45.90.113 vm1']);
    });
  });
});
