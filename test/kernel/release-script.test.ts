import { expect } from 'chai';
import { ATTACHMENTS_DIRECTORY } from '../../src/model/names.ts';
import { domainXml, uuidOf } from '../support/domain.ts';
import { filterSuite } from '../support/filter-suite.ts';
import type { Filtered, Total } from '../support/filtered.ts';
import { POOLS6 } from '../support/scene.ts';
import { difference, expectUnchanged, snapshot } from '../support/snapshot.ts';

const SCRIPT = `${ATTACHMENTS_DIRECTORY}/${uuidOf('vm1')}.sh`;
const ATTACHMENT = `${ATTACHMENTS_DIRECTORY}/${uuidOf('vm1')}.json`;
/** What a script ends with that has done all of it. */
const DONE = 42;
const [MINE, MINE6] = ['123.45.90.116', '2001:db8:12:48::116'];
const [OTHER, THIRD] = ['123.45.53.12', '123.45.90.117'];
const DAMAGED = `${ATTACHMENTS_DIRECTORY}/${uuidOf('vm3')}.sh`;

/** What may happen to the script of vm3. */
const DAMAGE: Readonly<Record<string, string>> = {
  'it is empty': `: >${DAMAGED}`,
  'it is cut off': `truncate -s -100 ${DAMAGED}`,
  'all but its first line is lost': `sed -i 1q ${DAMAGED}`,
  'its second half is lost': `truncate -s $(($(stat -c %s ${DAMAGED}) / 2)) ${DAMAGED}`,
  'one digit is another': `sed -i 's/123\\.45\\.90\\.117/123.45.90.116/' ${DAMAGED}`,
  'it ends before it has done anything': `sed -i '1i exit 42' ${DAMAGED}`,
  "it is another domain's": `cp ${ATTACHMENTS_DIRECTORY}/${uuidOf('vm1')}.sh ${DAMAGED}`,
  'it is garbage': `head -c 3000 /dev/urandom >${DAMAGED}`,
};

const BOTH = [MINE, '123.45.53.12', MINE6];

filterSuite(
  'the script of a release',
  ({ backend, host }) => {
    let one: Filtered;
    let before: string;
    let isSound = false;

    // They leave the host as it was but for what was added up; one that fails may not have.
    beforeEach(async () => {
      if (!isSound) {
        one = await host({ pools: POOLS6 });
        before = await snapshot(one.host);
        isSound = true;
      }
      await one.host.run(['rm', '-rf', '/var/lib/hnet']);
    });
    afterEach(function () {
      if (this.currentTest?.state === 'failed') isSound = false;
    });

    it('leaves nothing of a domain, whose traffic is added up', async () => {
      await one.prepare('vm1', BOTH);
      await count(MINE, 7, 3);
      await count(MINE6, 2, 0);
      await byScript();
      await expectUnchanged(one.host, before);
      expect(await one.total(MINE)).to.deep.equal(total(7, 3));
      expect(await one.total(MINE6)).to.deep.equal(total(2, 0));
    });

    it('adds up once, with what sync had added up, over starts and stops', async () => {
      await one.prepare('vm1', MINE);
      await count(MINE, 7, 3);
      await one.sync();
      await count(MINE, 9, 4);
      await byScript();
      await one.prepare('vm1', MINE);
      expect(await one.total(MINE)).to.deep.equal(total(9, 4));
      await count(MINE, 5, 5);
      await byScript();
      await one.prepare('vm1', MINE);
      // One without traffic.
      await byScript();
      expect(await one.total(MINE)).to.deep.equal(total(14, 9));
      await one.prepare('vm2', MINE);
      expect(await one.total(MINE)).to.deep.equal(total(0, 0));
      await one.release('vm2', MINE);
    });

    it('is what the hook obeys, and node is not needed for it', async () => {
      await one.prepare('vm1', BOTH);
      await one.scene.release('vm1', {}, '/run/lab/no-such-node');
      await expectUnchanged(one.host, before);
    });

    for (const [what, harm] of Object.entries(backend === 'nftables' ? {} : DAMAGE)) {
      it(`is not believed where ${what}: the program does the release`, async () => {
        await one.prepare('vm1', MINE);
        await one.prepare('vm2', OTHER);
        const other = await snapshot(one.host);
        await one.prepare('vm3', THIRD);
        await count(THIRD, 7, 3);
        await one.host.sh(harm);
        await one.release('vm3', THIRD);
        await expectUnchanged(one.host, other);
        expect(await one.total(THIRD)).to.deep.equal(total(7, 3));
        await one.release('vm2', OTHER);
        await one.release('vm1', MINE);
        await expectUnchanged(one.host, before);
      });
    }

    it('is no script without its attachment', async () => {
      await one.prepare('vm1', MINE);
      const running = await snapshot(one.host);
      await one.host.run(['mv', ATTACHMENT, '/run/lab/attachment']);
      const xml = domainXml('vm1', { addresses: [MINE] });
      expect(await one.scene.hook('release', 'vm1', xml, '/run/lab/no-such-node')).to.include({ code: 0 });
      await one.host.run(['mv', '/run/lab/attachment', ATTACHMENT]);
      await expectUnchanged(one.host, running);
      await one.release('vm1', MINE);
      await expectUnchanged(one.host, before);
    });

    it('waits while somebody looks at everything', async () => {
      await one.prepare('vm1', MINE);
      // The lock is free once the file is there, and no sooner.
      const holder = one.host.sh(
        'exec 3>>/run/hnet/sync.lock; flock 3; : >/run/lab/held; sleep 0.5; ls /run/hnet/attachments; : >/run/lab/freed',
      );
      await one.host.sh('until [ -e /run/lab/held ]; do sleep 0.01; done');
      await one.host.sh(`sh ${SCRIPT} || [ $? -eq ${DONE} ]; [ -e /run/lab/freed ]`);
      expect(await holder).to.contain(`${uuidOf('vm1')}.json`);
      await one.host.sh('rm /run/lab/held /run/lab/freed');
      await expectUnchanged(one.host, before);
    });

    it('is none for a domain with rules, nor once something is changed while it runs', async () => {
      await one.prepare('vm1', MINE, { rules: ['allow tcp/22'] });
      expect(await hasScript()).to.equal(false);
      await one.release('vm1', MINE);
      await one.prepare('vm1', MINE);
      expect(await hasScript()).to.equal(true);
      await one.change('vm1', BOTH, {});
      expect(await hasScript()).to.equal(false);
      await one.release('vm1', BOTH);
      await expectUnchanged(one.host, before);
    });

    it('is there for a subnet where its counters can be asked for', async () => {
      const subnet = '123.45.90.112/30';
      await one.prepare('vm1', subnet);
      expect(await hasScript()).to.equal(backend !== 'nftables');
      await count(subnet, 4, 2);
      await one.release('vm1', subnet);
      await expectUnchanged(one.host, before);
      expect(await one.total(subnet)).to.deep.equal(total(4, 2));
    });

    const HARM = {
      'the bridge is gone': 'ip link delete br116',
      'the bridge has no address': 'ip address flush dev br116',
      'the route is gone': `ip route delete ${MINE}`,
      "the server isn't there": 'pkill -KILL -x dnsmasq; while pgrep -x dnsmasq; do sleep 0.01; done',
      "nobody knows the server's pid": 'rm /run/hnet/dhcp/br116.pid',
      'a bridge has been left under the name that it takes': 'ip link add hnet-c34c8ee3 type bridge',
    };
    for (const [what, harm] of Object.entries(HARM)) {
      it(`leaves it to the program where ${what}, and nothing counts twice`, async () => {
        await one.prepare('vm1', MINE);
        await count(MINE, 7, 3);
        await one.host.sh(harm);
        expect((await one.host.attempt(['sh', SCRIPT])).code).not.to.equal(DONE);
        await one.release('vm1', MINE);
        await expectUnchanged(one.host, before);
        expect(await one.total(MINE)).to.deep.equal(total(7, 3));
      });
    }

    if (backend !== 'nftables') {
      it('leaves it to the program where it hangs', async () => {
        await one.prepare('vm1', MINE);
        await one.scene.replace('/usr/bin/flock', 'exec sleep 600');
        const release = one.release('vm1', MINE);
        await one.host.sh('until pgrep -x sleep -a | grep -q " 600$"; do sleep 0.1; done');
        await one.scene.restore('/usr/bin/flock');
        await release;
        await expectUnchanged(one.host, before);
      });
    }

    it('keeps what was added up where somebody has emptied the sets since', async () => {
      await one.prepare('vm1', MINE);
      await count(MINE, 7, 3);
      await one.sync();
      await one.host.sh(
        backend === 'nftables'
          ? 'nft flush set ip hnet hnet4-in; nft flush set ip hnet hnet4-out'
          : 'ipset flush hnet4-in; ipset flush hnet4-out',
      );
      await one.release('vm1', MINE);
      await expectUnchanged(one.host, before);
      await one.prepare('vm1', MINE);
      await count(MINE, 2, 1);
      expect(await one.total(MINE)).to.deep.equal(total(9, 4));
      await one.release('vm1', MINE);
    });

    it('counts a new run from zero among thousands of others', async () => {
      const others = Array.from({ length: 5000 }, (_, n) => `10.1.${n >> 8}.${n & 255}`);
      await one.host.run(backend === 'nftables' ? ['nft', '-f', '-'] : ['ipset', 'restore'], {
        input: ['hnet4-in', 'hnet4-out']
          .flatMap(set =>
            backend === 'nftables'
              ? [`add element ip hnet ${set} { ${others.join(', ')} }`]
              : others.map(other => `add ${set} ${other}`),
          )
          .map(line => `${line}\n`)
          .join(''),
      });
      for (const runs of [1, 2, 3]) {
        await one.prepare('vm1', MINE);
        await count(MINE, 7, 3);
        expect(await one.total(MINE)).to.deep.equal(total(7 * runs, 3 * runs));
        await byScript();
      }
      await one.prepare('vm2', MINE);
      expect(await one.total(MINE)).to.deep.equal(total(0, 0));
      // The others would be in the way of all that comes after.
      isSound = false;
    });

    it('ends nobody who has got the pid by now', async () => {
      await one.prepare('vm1', MINE);
      const other = (await one.host.sh('sleep 600 >/dev/null 2>&1 & echo $!')).trim();
      await one.host.sh(`pkill -x dnsmasq; echo ${other} >/run/hnet/dhcp/br116.pid`);
      expect((await one.host.attempt(['sh', SCRIPT])).code).not.to.equal(DONE);
      await one.release('vm1', MINE);
      expect(await one.host.run(['ps', '-o', 'comm=', '-p', other])).to.equal('sleep');
      await one.host.run(['kill', other]);
      expect(difference(before, await snapshot(one.host))).to.deep.equal([]);
    });

    async function byScript(): Promise<void> {
      expect((await one.host.attempt(['sh', SCRIPT])).code).to.equal(DONE);
    }

    async function hasScript(): Promise<boolean> {
      return (await one.host.attempt(['test', '-e', SCRIPT])).code === 0;
    }

    /** As if so many packets had come by. */
    async function count(prefix: string, received: number, sent: number): Promise<void> {
      const family = prefix.includes(':') ? 6 : 4;
      for (const [side, packets] of [
        ['in', received],
        ['out', sent],
      ] as const) {
        const set = `hnet${family}-${side}`;
        const part = prefix.includes('/') ? `${set}-subnets` : set;
        const table = family === 4 ? 'ip hnet' : 'ip6 hnet';
        await one.host.sh(
          backend === 'nftables'
            ? `nft 'delete element ${table} ${part} { ${prefix} }
                  add element ${table} ${part} { ${prefix} counter packets ${packets} bytes ${packets * 100} }'`
            : `ipset -exist add ${set} ${prefix} packets ${packets} bytes ${packets * 100}`,
        );
      }
    }
  },
  ['iptables-nft', 'nftables'],
);

const total = (received: number, sent: number): Total => ({
  in: { packets: received, bytes: received * 100 },
  out: { packets: sent, bytes: sent * 100 },
});
