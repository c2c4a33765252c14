import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { examine } from '../../src/doctor/examine.ts';
import { macNotes } from '../../src/doctor/macs.ts';
import { dropNotes, insideNotes } from '../../src/doctor/strangers.ts';
import { CAUSES } from '../../src/firewall/rules/rules.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { BRIDGED, CASES, MODULAR, networkd, withNic } from './doctor-cases.ts';
import {
  assigned,
  BOTH,
  configured,
  domain,
  factsOf,
  file,
  HOOK,
  hook,
  known,
  NETWORK,
  routes,
} from './doctor-host.ts';

describe('doctor', () => {
  it('notes what was dropped that somebody should know of', () => {
    const counter = (packets: bigint) => ({ packets, bytes: 100n * packets });
    const drops = new Map([
      [CAUSES.impostor, counter(2n)],
      [CAUSES.reserved, counter(30n)],
      [CAUSES.unassigned, counter(400n)],
    ]);
    const notes = dropNotes(factsOf({ drops }));
    expect(notes).to.have.length(2);
    expect(notes[0]).to.match(/have sent 2 packets under addresses of VMs; hnet has dropped them$/);
    expect(notes[1]).to.match(/^VMs have sent 30 packets to addresses that the Internet does not route/);
    expect(dropNotes(factsOf({ drops: new Map([[CAUSES.reserved, counter(0n)]]) }))).to.deep.equal([]);
  });

  it('notes an inside network whose interface is not there', () => {
    const config = (inside: string) => known(parseConfig(`pools = []\n[firewall]\ninside = ${inside}\n`));
    expect(insideNotes(factsOf({ config: config('["eth0", "wg9"]') }))).to.deep.equal([
      '"inside" in hnet.toml names "wg9", which is no interface of this host now',
    ]);
    expect(insideNotes(factsOf({ config: config('[]') }))).to.deep.equal([]);
  });

  it('finds nothing on a host that is fit', () => {
    expect(examine(factsOf({}))).to.deep.equal([]);
  });

  for (const [what, [change, found, mend]] of Object.entries(CASES)) {
    it(`finds ${what}, and nothing else`, () => {
      const findings = examine(factsOf(change));
      expect(findings).to.have.length(1);
      expect(findings[0]?.what).to.match(found);
      expect(findings[0]?.why).to.match(/^[a-zA-Z"].*[^.]$/);
      expect(findings[0]?.mend).to.match(mend);
    });
  }

  it('takes no interface for one on the wire that is on none, and notes a MAC that may be given', () => {
    const nat = "<network><forward dev='eth0' mode='nat'/><bridge name='virbr0'/></network>";
    const outputs = { 'virsh --connect qemu:///system net-dumpxml -- default': nat };
    const domains = known([
      withNic('bridge', "bridge='br116'"),
      withNic('user', "dev='eth0'"),
      withNic('network', "network='default'"),
      withNic('network', "network='gone'"),
    ]);
    expect(examine(factsOf({ domains, outputs }))).to.deep.equal([]);
    const given = factsOf({
      ...BRIDGED,
      domains: known([withNic('bridge', "bridge='br0'", '00:50:56:00:00:01')]),
    });
    expect(examine(given)).to.deep.equal([]);
    expect(macNotes(given)).to.have.length(1);
    expect(macNotes(given)[0]).to.match(
      /^the interface 00:50:56:00:00:01 of "vm2" is on the uplink br0: the provider/,
    );
  });

  it('finds each of those whose addresses lie in the subnet of another', () => {
    const holders = ['123.45.90.112/29', '123.45.90.113', '123.45.90.115', '123.45.53.11'];
    const domains = known(holders.map((address, index) => domain(assigned(`vm${index}`, address))));
    expect(examine(factsOf({ domains })).map(({ what }) => what)).to.deep.equal([
      '"vm0" and "vm1" are both assigned 123.45.90.113',
      '"vm0" and "vm2" are both assigned 123.45.90.115',
    ]);
  });

  it('advises to delete no route that the host itself needs', () => {
    const network = {
      ...NETWORK,
      routes: routes(['0.0.0.0/0', 'eth0'], ['123.45.12.1', 'eth0'], ['123.45.12.48/30', 'eth0']),
    };
    const findings = examine(factsOf({ ...configured('"123.45.12.0/24"'), network }));
    expect(findings).to.have.length(3);
    for (const { mend } of findings) expect(mend).not.to.match(/^ip route/);
  });

  it('takes the IPv6 addresses of the uplink for what they are: the pool is its own subnet', () => {
    const own = ['123.45.12.48/32', '2001:db8:12:48::2/64', '2001:db8:12:48:5054:ff:fe12:30/64'];
    const network = { ...NETWORK, addresses: new Map([['eth0', own]]) };
    expect(examine(factsOf({ ...configured(BOTH), network }))).to.deep.equal([]);
  });

  it('finds nothing where networkd was told to leave what it has not made, or does not run', () => {
    const text = '[Network]\nManageForeignRoutes=yes\n[Network]\nManageForeignRoutes=no\n';
    const told = networkd(`${text}ManageForeignRoutingPolicyRules=false\n`);
    expect(examine(factsOf(told))).to.deep.equal([]);
    expect(
      examine(factsOf({ outputs: { 'systemd-analyze cat-config systemd/networkd.conf': '' } })),
    ).to.deep.equal([]);
  });

  it("doesn't ask for a free address of the pools to come to a host of a cluster that announces those in use", () => {
    const inCluster = (announce: string) =>
      examine(
        factsOf({
          ...configured(
            BOTH,
            `[cluster]\nname = "lab"\ninterface = "eth1"\netcd = ["http://10.9.0.1:2379"]\nannounce = "${announce}"`,
          ),
          delivered: () => 'lost',
        }),
      ).filter(({ what }) => /did not come here/.test(what));
    expect(inCluster('bgp')).to.deep.equal([]);
    expect(inCluster('on-link')).to.have.length(2);
  });

  it('takes modular daemons for what they are', () => {
    expect(examine(factsOf({ outputs: MODULAR }))).to.deep.equal([]);
    const told = {
      'getsebool virt_hooks_unconfined': 'virt_hooks_unconfined --> on\n',
      'semodule --list-modules': 'hnet\n',
    };
    const files = { '/sys/fs/selinux/enforce': file('1') };
    expect(
      examine(factsOf({ files, outputs: { ...MODULAR, ...told } })).map(({ what }) => what),
    ).to.deep.equal([]);
  });

  it('takes a hook in qemu.d for one as well', () => {
    const files = { [HOOK]: file('#!/bin/sh\n'), [`${HOOK}.d/hnet`]: file(hook('/usr/bin/node')) };
    expect(examine(factsOf({ files }))).to.deep.equal([]);
  });

  it('tells how each is mended by a command that a shell can read', () => {
    const mends = Object.values(CASES).flatMap(([change]) =>
      examine(factsOf(change)).map(({ mend }) => mend),
    );
    expect(mends).to.have.length(Object.keys(CASES).length);
    const { status, stderr } = spawnSync('sh', ['-n'], { input: mends.join('\n'), encoding: 'utf8' });
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
  });
});
