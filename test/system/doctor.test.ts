import { expect } from 'chai';
import { Stage } from './stage.ts';

interface Diagnosis {
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

/** What is done to the host, and what is found then. */
const TROUBLE: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a hook that is not executable': [
    'chmod 644 /etc/libvirt/hooks/qemu.d/hnet',
    /not an executable file of root's/,
  ],
  'forwarding that is off': ['echo 0 >/proc/sys/net/ipv4/ip_forward', /forwarding is off/],
  'a route within a pool': [
    'ip route add 123.45.90.112/30 dev lo',
    /routes 123\.45\.90\.112\/30 to lo, in the pool 123\.45\.90\.112\/29/,
  ],
  'a policy of others that drops': [
    "nft 'add table inet other; add chain inet other passing { type filter hook forward priority 10; policy drop; }'",
    /chain passing of table inet other drops/,
  ],
  'a clone': [
    `virsh dumpxml vm1 | sed '/<uuid>/d; /<mac address/d; s,<name>vm1,<name>clone,' >/root/clone.xml
    virsh -q define /root/clone.xml`,
    /"clone" is a clone/,
  ],
  'a macvtap on the uplink': [
    `cat >/root/lone.xml <<'END'
<domain type='qemu'><name>lone</name><memory>131072</memory><os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices><interface type='direct'><mac address='52:54:00:aa:00:07'/><source dev='eth0' mode='bridge'/></interface></devices>
</domain>
END
    virsh -q define /root/lone.xml`,
    /^the interface 52:54:00:aa:00:07 of "lone" is on the uplink eth0$/,
  ],
  'a libvirt that does not answer': [
    'systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd',
    /libvirt/,
  ],
};

/** Each of its checks has a test with made-up facts (test/unit); here the facts are a real host's. */
describe('hnet doctor', () => {
  const stage = new Stage();

  before(async () => {
    await stage.hv.vm({ name: 'vm1', nic: { type: 'bridge', source: 'br116' }, boots: false });
    await stage.ok('assign', 'vm1', '123.45.90.116');
  });

  async function findings(): Promise<Diagnosis[]> {
    const { code, stdout } = await stage.hnet('doctor', '--json');
    const { findings: found } = JSON.parse(stdout) as { findings: Diagnosis[] };
    expect(code, stdout).to.equal(found.length === 0 ? 0 : 3);
    return found;
  }

  it('says of a host on which hnet was just installed that it is fit, domains running or not', async () => {
    expect(await stage.ok('doctor')).to.equal('This host is fit');
    await stage.hv.virsh('start', 'vm1');
    expect(await stage.ok('doctor')).to.equal('This host is fit');
    await stage.hv.virsh('destroy', 'vm1');
  });

  for (const [what, [harm, found]] of Object.entries(TROUBLE)) {
    it(`finds ${what}, and what it says to do makes the host fit again`, async () => {
      await stage.hv.sh(harm);
      const [first] = await findings();
      expect(first?.what).to.match(found);
      // A hook that is mended is one that libvirtd hasn't seen yet, which is a finding of its own.
      for (let round = 1; round <= 2; round++)
        for (const { mend } of await findings()) {
          await stage.hv.sh(mend);
          await stage.lab.gateway.run(['ip', 'neigh', 'flush', 'dev', 'h1']);
          expect(await stage.lab.internet.ping(stage.hv.address), mend).to.equal(true);
        }
      expect(await findings()).to.deep.equal([]);
    });
  }

  it('says it to people in three lines each: what, why, and what to do', async () => {
    await stage.hv.sh('mv /usr/sbin/conntrack /usr/sbin/conntrack.away');
    const { code, stdout } = await stage.hnet('doctor');
    await stage.hv.sh('mv /usr/sbin/conntrack.away /usr/sbin/conntrack');
    expect({ code, stdout }).to.deep.equal({
      code: 3,
      stdout: 'conntrack is missing\n  why   a start needs it\n  mend  apt-get install conntrack',
    });
  });
});
