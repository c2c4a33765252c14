import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { Pings } from '../lab/pings.ts';
import { hnet, ok } from '../support/command.ts';
import { BOTH, FAMILIES } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Filtered, toMetadata } from '../support/filtered.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { type End, outside, passes } from '../support/probe.ts';
import { POOLS6 } from '../support/scene.ts';
import type { Wire } from '../support/wire.ts';

/**
 * Puts our chains where versions before 1.1 had them, with jumps that came first, and accepts where it now returns. They
 * had no rule for checksums, which is for mangle alone, and no set of all addresses that are particular.
 */
const BACKDATE = `for tool in iptables ip6tables; do
  [ $tool = iptables ] && set=hnet4 || set=hnet6
  $tool -t raw -R hnet-untrack 1 -m set --match-set $set-tracked src -j RETURN
  $tool -t nat -F hnet-called
  {
    echo '*filter'
    $tool-save -t mangle | grep -E '^(:hnet-|-A (hnet-|FORWARD|INPUT|OUTPUT))' | grep -vE 'CHECKSUM|-particular' |
      sed -E 's/^-A (FORWARD|INPUT|OUTPUT) /-I \\1 1 /; /^-A hnet-(forward|egress|between|ingress|input|output) /s/-j RETURN$|-g hnet-subnets$/-j ACCEPT/'
    echo COMMIT
  } | $tool-restore --noflush
  $tool -t mangle -F; $tool -t mangle -X
  ipset destroy $set-particular
  $tool -P FORWARD DROP
done`;
const OLD = '{ iptables-save -t filter; ip6tables-save -t filter; } | grep -E "hnet-" || true';
const RULES = { default: 'deny', rules: ['allow tcp/22'] } as const;

filterSuite(
  'an upgrade from a version with its chains in the filter table',
  ({ host }) => {
    let one: Filtered;
    let guests: readonly Guest[];
    let libvirt: FakeLibvirt;
    let wires: Readonly<Record<'mine' | 'neighbour' | 'internet', Wire>>;

    before(async () => {
      one = await host({ pools: POOLS6 });
      libvirt = await FakeLibvirt.create(one.scene);
      await libvirt.run('vm1', { metadata: toMetadata('vm1', BOTH.mine, RULES) });
      guests = [await one.start('vm1', BOTH.mine, RULES), await one.start('vm2', BOTH.neighbour)];
      const [first, second] = guests as readonly [Guest, Guest];
      wires = {
        mine: await one.guestWire(first, BOTH.mine),
        neighbour: await one.guestWire(second, BOTH.neighbour),
        internet: await one.internetWire(),
      };
    });
    beforeEach(async () => {
      await libvirt.run('vm2', { metadata: toMetadata('vm2', BOTH.neighbour, {}) });
      await one.host.sh(BACKDATE);
      expect(await one.host.sh(OLD))
        .to.contain('hnet-forward')
        .and.contain('hnet-in-');
      await holds();
    });
    afterEach(async () => {
      await libvirt.run('vm1', { metadata: toMetadata('vm1', BOTH.mine, RULES) });
      await one.host.sh('iptables -P FORWARD ACCEPT; ip6tables -P FORWARD ACCEPT');
      await ok(one.scene, 'sync');
    });

    /** What the domains' rules say, and that the host's own policy of DROP keeps nothing of theirs out. */
    async function holds(): Promise<void> {
      for (const { mine, neighbour, internet } of FAMILIES) {
        const [ruled, open]: End[] = [
          { wire: wires.mine, ip: mine },
          { wire: wires.neighbour, ip: neighbour },
        ];
        const far = outside(wires.internet, internet);
        expect(await passes(far, ruled as End, 'tcp', 22), `${mine}: what it allows`).to.equal(true);
        expect(await passes(far, ruled as End, 'tcp', 23), `${mine}: what it denies`).to.equal(false);
        expect(await passes(far, open as End, 'tcp', 23), `${neighbour}: all`).to.equal(true);
        expect(await passes(open as End, far, 'tcp', 80), `${neighbour}: outwards`).to.equal(true);
      }
    }

    it('leaves nothing there after a sync, and loses no packet of a domain that runs', async () => {
      const pings = await Promise.all(
        FAMILIES.map(({ neighbour }) => Pings.start(one.lab.internet, neighbour)),
      );
      const said = await ok(one.scene, 'sync');
      expect(said.join('\n')).to.contain("removed: an earlier version's chains in the filter table");
      for (const each of pings) await each.more(10);
      for (const each of pings) expect((await each.stop()).lost).to.equal(0);
      expect(await one.host.sh(OLD)).to.equal('');
      await holds();
      expect(await hnet(one.scene, 'check')).to.include({ code: 0 });
    });

    it('lets nothing in that the rules of a domain deny, at no moment', async () => {
      const denied = await deniedMeanwhile(() => ok(one.scene, 'sync'));
      expect(denied.sent).to.be.above(20);
      expect(denied.passed).to.equal(0);
      await holds();
    });

    it('keeps the old chains of a domain of which nobody knows the rules', async () => {
      await one.host.sh('mv /run/hnet/attachments /run/lab/kept');
      await libvirt.run('vm1', { metadata: '<hnet:assignment xmlns:hnet="urn:hnet:1"/>' });
      await hnet(one.scene, 'sync');
      expect(await one.host.sh(OLD)).to.contain('hnet-in-');
      await holds();
      await one.host.sh('rm -rf /run/hnet/attachments; mv /run/lab/kept /run/hnet/attachments');
    });

    it('is no matter to a domain that starts or stops before the sync', async () => {
      await one.release('vm1', BOTH.mine);
      expect(await one.host.sh(OLD)).not.to.contain('hnet-in-');
      await one.prepare('vm1', BOTH.mine, RULES);
      const [first] = guests;
      await first?.plug('br116');
      await holds();
    });

    it('lets a start before the sync see to the rules of domains that run', async () => {
      await one.release('vm2', BOTH.neighbour);
      await one.prepare('vm2', BOTH.neighbour);
      const [, second] = guests;
      await second?.plug('br117');
      for (const [index, ip] of BOTH.mine.entries())
        await one.host.run(['ipset', 'test', `hnet${index === 0 ? 4 : 6}-particular`, ip]);
      await holds();
    });

    /** Sends packets that the rules deny, again and again, while something is done. */
    async function deniedMeanwhile(act: () => Promise<unknown>): Promise<{ sent: number; passed: number }> {
      let [sent, isOver] = [0, false];
      const acting = act().finally(() => {
        isOver = true;
      });
      const ends = FAMILIES.map(({ mine, internet }) => [outside(wires.internet, internet), mine] as const);
      let passed = 0;
      while (!isOver) {
        for (const [far, ip] of ends) {
          sent += 1;
          if (await passes(far, { wire: wires.mine, ip }, 'tcp', 23)) passed += 1;
        }
        // Otherwise nothing but these packets gets its turn.
        await setImmediate();
      }
      await acting;
      return { sent, passed };
    }
  },
  ['iptables-nft', 'iptables-legacy'],
);
