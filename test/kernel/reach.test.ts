import { expect } from 'chai';
import type { Finding, ReachFacts } from '../../src/doctor/reach/facts.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { type Cast, CONFIG, cast, MINE } from '../support/cast.ts';
import { hnet } from '../support/command.ts';
import { domainXml, uuidOf } from '../support/domain.ts';
import { type PolicyWords, toMetadata } from '../support/filtered.ts';
import { POOLS6 } from '../support/scene.ts';
import { snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';
import { perform, TROUBLES } from '../support/troubles.ts';

const OTHER = '123.45.90.117';

interface Answer {
  readonly code: number;
  readonly finding: Finding | null;
  readonly facts: ReachFacts;
}

async function ask({ one }: Cast, name = 'vm1'): Promise<Answer> {
  const { code, stdout, stderr } = await hnet(one, 'doctor', name, '--json');
  if (stdout === '') throw new Error(stderr);
  return { code, ...(JSON.parse(stdout) as Omit<Answer, 'code'>) };
}

/** Seeds a trouble, and undoes it. */
async function named(all: Cast, what: string): Promise<void> {
  const [harm = '', mend = '', cause, address, saw = /^$/] = TROUBLES[what] ?? [];
  await perform(harm, all);
  const { finding, facts, code } = await ask(all);
  await perform(mend, all);
  expect({ ...finding, code }, JSON.stringify(facts, null, 1)).to.include({ cause, address, code: 3 });
  expect(finding?.saw).to.match(saw);
}

kernelSuite('doctor DOMAIN', (_, share) => {
  const stage = share(async scene => cast(await scene({ config: CONFIG, pools: POOLS6 })));

  /** Another domain, with rules, while somebody does something; it is gone afterwards. */
  async function ruled(name: string, policy: PolicyWords, meanwhile?: readonly string[]): Promise<Answer> {
    const all = await stage();
    const { one, libvirt, guest: neighbour } = all;
    const metadata = toMetadata(name, OTHER, policy);
    await one.hook('prepare', name, domainXml(name, { metadata }));
    const guest = await one.host.guest({ name, bridge: 'br117' });
    await guest.static(OTHER, one.host.address);
    await libvirt.run(name, { metadata, taps: [{ bridge: 'br117', tap: name }] });
    const beside = meanwhile && neighbour.start(meanwhile);
    const answer = await ask(all, name);
    await beside?.stop();
    await one.release(name, { metadata });
    await guest.unplug();
    await libvirt.end(name);
    return answer;
  }

  it('finds nothing on a healthy domain, and changes nothing', async () => {
    const all = await stage();
    const before = await snapshot(all.one.host);
    const { finding, code, facts } = await ask(all);
    expect({ finding, code }).to.deep.equal({ finding: null, code: 0 });
    for (const { heard } of facts.addresses)
      expect(heard).to.deep.include({ arrives: 'yes', passes: 'yes', replies: 'yes', leaves: 'yes' });
    expect(await snapshot(all.one.host)).to.deep.equal(before);
  });

  it('says to people what it saw, and what to do', async () => {
    const all = await stage();
    const { stdout: fine } = await hnet(all.one, 'doctor', 'vm1');
    expect(fine.split('\n')).to.have.length(3);
    expect(fine).to.match(
      /^Nothing was found that keeps "vm1" from being reached\n {2}123\.45\.90\.116 {2}it arrives/,
    );
    await all.one.host.run(['ip', 'link', 'set', 'vm1', 'nomaster']);
    const { code, stdout } = await hnet(all.one, 'doctor', uuidOf('vm1'));
    await all.one.host.run(['ip', 'link', 'set', 'vm1', 'master', 'br116']);
    expect(code).to.equal(3);
    expect(stdout.split('\n')).to.deep.equal([
      '"vm1", 123.45.90.116',
      '  saw  vm1, the end of its interface 52:54:00:00:00:01, is in no bridge and not in br116',
      '  do   hnet sync',
    ]);
  });

  it('says which domains come near a name that it does not know', async () => {
    const { code, stdout, stderr } = await hnet((await stage()).one, 'doctor', 'vm');
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
    expect(stderr).to.equal('hnet: Cannot find a domain "vm"; did you mean "vm1"?');
  });

  it('says that it could not listen, and goes on', async () => {
    const all = await stage();
    const library = `${process.cwd()}/node_modules/koffi`;
    await all.one.host.run(['mount', '-t', 'tmpfs', 'none', library]);
    const { code, stdout, stderr } = await hnet(all.one, 'doctor', 'vm1');
    await all.one.host.run(['umount', library]);
    expect(code).to.equal(0);
    expect(stdout).to.include(`${MINE}  nothing was heard of it`);
    expect(stderr.split('\n')).to.have.length(2);
    expect(stderr).to.match(/^hnet: nothing could be heard on eth0: the library for it can't be loaded/);
  });

  for (const what of Object.keys(TROUBLES)) it(`names ${what}`, async () => named(await stage(), what));

  it('names its own rules, where they let nothing in', async () => {
    const { finding, code } = await ruled('closed', { default: 'deny' });
    expect({ ...finding, code }).to.include({ cause: 'rules', address: null, code: 3 });
  });

  it('finds nothing wrong with rules that let something in', async () => {
    const { finding, facts } = await ruled('picky', { default: 'deny', rules: ['allow tcp/22'] });
    expect(finding, JSON.stringify(facts, null, 1)).to.equal(null);
  });

  it('names its isolation, while a neighbour tries to reach it', async () => {
    const { finding } = await ruled('lonely', { isolate: true }, ['ping', '-n', '-i', '0.2', OTHER]);
    expect(finding).to.include({ cause: 'isolated' });
  });

  it('names no limit that only a neighbour exceeds', async () => {
    const [flood = '', calm = ''] = TROUBLES['a guest that asks for neighbours under many addresses'] ?? [];
    const all = await stage();
    await perform(flood, all);
    const { finding, facts } = await ruled('calm', {});
    await perform(calm, all);
    expect(finding, JSON.stringify(facts, null, 1)).to.equal(null);
    expect(facts.rules.shared).to.have.property('too many ARP senders on a bridge');
  });

  it('looks at each interface and each prefix of a domain that has several', async () => {
    const all = await stage();
    const { one, libvirt } = all;
    const [low, high] = [
      { bridge: 'br112', scope: '172.30.112.0/24' },
      { bridge: 'br11', scope: '172.30.11.0/24' },
    ];
    const addresses = [
      { ip: '123.45.90.112/30', ...low },
      { ip: '2001:db8:12:4942::/64', ...low },
      { ip: '123.45.53.11', ...high },
    ];
    await one.prepare('many', addresses);
    const taps = [low, high].map(({ bridge }) => ({ bridge, tap: `many-${bridge}` }));
    const [first, second] = await Promise.all(
      taps.map(({ bridge, tap }) => one.host.guest({ name: tap, bridge })),
    );
    await first?.static('123.45.90.114', one.host.address);
    await first?.static('2001:db8:12:4942::5', 'fe80::1');
    await second?.static('123.45.53.11', one.host.address);
    await libvirt.run('many', { addresses, taps });
    const { finding, facts } = await ask(all, 'many');
    expect(finding, JSON.stringify(facts, null, 1)).to.equal(null);
    expect(facts.addresses.map(({ heard }) => heard?.answers)).to.deep.equal([
      '123.45.90.114',
      '2001:db8:12:4942::5',
      '123.45.53.11',
    ]);
    await second?.sh('ip address del 123.45.53.11/32 dev eth0');
    expect((await ask(all, 'many')).finding).to.include({ cause: 'silent', address: '123.45.53.11' });
    await one.release('many', { addresses });
    await libvirt.end('many');
  });

  it('says so when a tool hangs', async () => {
    const { one } = await stage();
    await one.replace('/usr/bin/ss', 'exec sleep 600');
    const { code, stdout, stderr } = await hnet(one, 'doctor', 'vm1');
    await one.restore('/usr/bin/ss');
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
    expect(stderr).to.match(/^hnet: Cannot run .*: no answer within .*"ss /);
  });

  it('was right to find a healthy domain reachable', async () => {
    const all = await stage();
    expect(await until(async () => (await ask(all)).code === 0, PATIENCE, 'health')).to.equal(true);
    expect(await all.one.lab.internet.ping(MINE)).to.equal(true);
  });
});

/** What drops the packets of a domain, where hnet's filter is nft's. */
const DROPPING: readonly string[] = [
  "another program's policy that drops",
  "another program's rule against the address",
  "another program's drop at a place where nobody looks",
  'a ban of the address by iptables',
  'a guest that asks for neighbours under many addresses',
  'a guest that sends too many DHCP messages',
];

kernelSuite('doctor DOMAIN (nftables)', (_, share) => {
  const config = `${CONFIG}[firewall]\nbackend = "nftables"\n`;
  const stage = share(async scene => cast(await scene({ config, pools: POOLS6 })));

  it('finds nothing on a healthy domain', async () => {
    expect((await ask(await stage())).finding).to.equal(null);
  });

  for (const what of DROPPING) it(`names ${what}`, async () => named(await stage(), what));

  it("names the policy of Docker's and ufw's chain", async () => {
    const all = await stage();
    await all.one.host.sh('iptables -P FORWARD DROP');
    const { finding } = await ask(all);
    expect(finding).to.include({ cause: 'foreign filter', mend: 'hnet sync' });
    expect(finding?.saw).to.match(/^chain FORWARD of table ip filter drops/);
    await hnet(all.one, 'sync');
    expect((await ask(all)).finding).to.equal(null);
  });
});
