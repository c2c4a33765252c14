import { expect } from 'chai';
import fc from 'fast-check';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { changing, hnet, ok } from '../support/command.ts';
import { uuidOf } from '../support/domain.ts';
import { PORT_HARMS } from '../support/harm.ts';
import { FakeLibvirt, pluggedXml } from '../support/libvirt.ts';
import { POOLS, POOLS6, REAL, type Scene, VARIANTS } from '../support/scene.ts';
import { snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

const ATTACHMENT = `/run/hnet/attachments/${uuidOf('vm1')}.json`;
/** Of what is generated here; a failure names it. */
const SEED = Number(process.env['HNET_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const MANY = 60;
const POOL = '123.45.94.0/26';
const LEASES = '/var/lib/hnet/leases/br116.leases';

/** Whatever other software, or an operator's slip, may do to a host while its domains run. */
const DAMAGE: Readonly<Record<string, string>> = {
  'iptables -t mangle -F': 'iptables -t mangle -F',
  'every table flushed': 'for table in raw mangle filter nat; do iptables -t $table -F; done',
  'every table flushed, chains and sets destroyed': `for table in raw mangle filter nat; do
    iptables -t $table -F; iptables -t $table -X; done; ipset destroy`,
  'nft flush ruleset': 'nft flush ruleset',
  'ipset flush': 'ipset flush',
  'a foreign rule that drops everything': 'iptables -I FORWARD -j DROP',
  'a foreign policy that drops everything': 'iptables -P FORWARD DROP',
  'a foreign table that drops everything':
    'nft "add table inet theirs { chain f { type filter hook forward priority 0; policy drop; }; }"',
  'the bridge deleted': 'ip link del br116',
  'the bridge deleted and made anew by somebody, under our mark': `ip link del br116
    ip link add br116 type bridge; ip link set br116 alias "hnet ${uuidOf('vm1')}" up`,
  'the bridge half made': `ip link set br116 down alias ""; ip address flush dev br116`,
  'the tap pulled out of the bridge': 'ip link set vm1 nomaster',
  'the address of the bridge removed': 'ip address flush dev br116',
  'the route removed': 'ip route del 123.45.90.116 dev br116',
  'the route led elsewhere': `ip link add other type bridge; ip link set other up
    ip route replace 123.45.90.116/32 dev other proto 104`,
  'the DHCP server killed': 'pkill -KILL -x dnsmasq; while pgrep -x dnsmasq; do sleep 0.01; done',
  'its lease file garbage': `head -c 1000 /dev/urandom >${LEASES}; pkill -KILL -x dnsmasq
    while pgrep -x dnsmasq; do sleep 0.01; done`,
  'the attachment cut off in the middle': `text=$(head -c 100 ${ATTACHMENT}); echo "$text" >${ATTACHMENT}`,
  'its lease file cut off': `printf '1790000000 52:54:00:77:00:0' >${LEASES}; pkill -KILL -x dnsmasq
    while pgrep -x dnsmasq; do sleep 0.01; done`,
  '/run/hnet emptied': 'rm -rf /run/hnet/*',
  '/run/hnet emptied, and the bridge deleted': 'rm -rf /run/hnet/*; ip link del br116',
  'the claims removed': 'rm -r /run/hnet/claims',
  'forwarding switched off': 'echo 0 >/proc/sys/net/ipv4/ip_forward',
  'forwarding switched off on the uplink': 'echo 0 >/proc/sys/net/ipv4/conf/eth0/forwarding',
  'forwarding switched off on the bridge': 'echo 0 >/proc/sys/net/ipv4/conf/br116/forwarding',
  'a blackhole removed': 'ip route del blackhole 123.45.90.112/29',
};

/** What takes away what somebody else has added, or made. */
const UNDO: Readonly<Record<string, string>> = {
  'a foreign rule that drops everything': 'iptables -D FORWARD -j DROP',
  'a foreign policy that drops everything': 'iptables -P FORWARD ACCEPT',
  'a foreign table that drops everything': 'nft delete table inet theirs',
  'the route led elsewhere': 'ip link del other',
};

/** Only what concerns the filter can differ between the kinds of iptables; of legacy's rules nft flushes none. */
const differs = (harm: string): boolean => /iptables|ipset/.test(harm);

for (const variant of VARIANTS) {
  kernelSuite(`sync repairs (${variant})`, (_, share) => {
    const whole = share(async scene => running(await scene({ variant })));

    for (const [what, harm] of Object.entries(DAMAGE).filter(
      ([, each]) => variant === 'nft' || differs(each),
    )) {
      it(what, async () => {
        const { one, guest } = await whole();
        await guest.run(['ip', '-4', 'address', 'flush', 'dev', 'eth0']);
        await guest.static('123.45.90.116', one.host.address);
        await one.host.sh(harm);
        const seen = await hnet(one, 'check');
        expect(seen.code, seen.stdout).to.equal(3);
        const { stdout: health } = await hnet(one, 'status');
        if (/ ok$/m.test(health)) expect(await guest.ping(INTERNET), health).to.equal(true);
        expect(await ok(one, 'sync')).not.to.deep.equal([]);
        expect(await hnet(one, 'check')).to.include({ code: 0, stdout: 'Everything is as it should be' });
        const undo = UNDO[what];
        if (undo !== undefined) {
          await one.host.sh(undo);
          await ok(one, 'sync');
        }
        expect(await guest.ping(INTERNET)).to.equal(true);
        expect((await guest.dhcp()).router).to.equal('172.30.116.1');
        expect(await one.host.run(['pgrep', '-c', '-x', 'dnsmasq'])).to.equal('1');
      });
    }
  });
}

/** Hosts that have the tools of one backend alone, and what becomes of its rules. */
const LACKING: Readonly<Record<string, { tools: string; harm: string }>> = {
  'iptables, ip6tables and ipset': { tools: 'ipset *tables-* ip*tables', harm: 'nft flush ruleset' },
  nft: { tools: 'nft', harm: 'iptables -t mangle -F' },
};

kernelSuite('a host without', scene => {
  for (const [what, { tools, harm }] of Object.entries(LACKING)) {
    it(`${what}: starts, is checked and repaired`, async () => {
      const one = await scene();
      await one.overlay('/usr/sbin');
      await one.host.sh(`cd /usr/sbin && rm ${tools}`);
      const { guest, libvirt } = await running(one);
      expect(await hnet(one, 'check')).to.include({ code: 0, stdout: 'Everything is as it should be' });
      expect(await ok(one, 'sync')).to.deep.equal([]);
      await one.host.sh(harm);
      expect(await hnet(one, 'check')).to.include({ code: 3 });
      expect(await ok(one, 'sync')).not.to.deep.equal([]);
      expect(await hnet(one, 'check')).to.include({ code: 0, stdout: 'Everything is as it should be' });
      expect(await guest.ping(INTERNET)).to.equal(true);
      expect((await guest.dhcp()).router).to.equal('172.30.116.1');
      await one.release('vm1');
      await libvirt.end('vm1');
      expect(await hnet(one, 'check')).to.include({ code: 0, stdout: 'Everything is as it should be' });
    });
  }
});

/** What keeps packets from passing between the bridge and the VM, each once, up to three at a time. */
const CUTS = ['ip link set TAP down', 'ip link set br116 arp off', ...PORT_HARMS];
const togethers: fc.Arbitrary<string[][]> = fc
  .shuffledSubarray(CUTS, { minLength: CUTS.length })
  .map(all => [0, 3, 6, 9].map(from => all.slice(from, from + 3)));

kernelSuite('the way between the bridge and the VM', scene => {
  it('is a fault where it is cut, named with its cause and what mends it, and sync mends it', async () => {
    const { one, guest } = await running(await scene());
    const [rounds = []] = fc.sample(togethers, { numRuns: 1, seed: SEED });
    for (const harms of rounds) {
      const told = `HNET_SEED=${SEED}: ${harms.join('; ')}`;
      await one.host.sh(harms.join('\n').replaceAll('TAP', 'vm1'));
      const { code, stdout } = await hnet(one, 'check');
      expect(code, told).to.equal(3);
      if (harms.some(harm => harm.includes('TAP')))
        expect(stdout, told).to.match(/port vm1 in br116 .*; ip link set dev vm1 /);
      expect((await hnet(one, 'status', 'vm1')).stdout, told).not.to.match(/ ok$/m);
      await ok(one, 'sync');
      expect((await hnet(one, 'check')).stdout, told).to.equal('Everything is as it should be');
      await guest.sh('ip neighbour flush all');
      await one.host.sh('ip neighbour flush dev br116');
      expect(await one.lab.internet.ping('123.45.90.116'), told).to.equal(true);
    }
  });

  it('is left alone where libvirt was told to cut it, and status says so', async () => {
    const { one, libvirt } = await running(await scene());
    await libvirt.run('vm1', {
      addresses: ['123.45.90.116'],
      taps: [{ bridge: 'br116', tap: 'vm1', link: 'down' }],
    });
    await one.host.sh('ip link set vm1 down');
    expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');
    expect(await ok(one, 'sync')).to.deep.equal([]);
    expect((await hnet(one, 'status')).stdout).to.contain(
      "libvirt has switched vm1 off; virsh domif-setlink 'vm1' vm1 up",
    );
    // It goes back into its bridge all the same, and stays down.
    await one.host.sh('ip link set vm1 nomaster');
    await ok(one, 'sync');
    expect(await one.host.run(['ip', '-br', 'link', 'show', 'master', 'br116'])).to.match(/^vm1\S* +DOWN/);
  });

  it('is a fault that nothing can mend where the tap is gone', async () => {
    const { one } = await running(await scene());
    await one.host.sh('ip link del vm1');
    const why = 'vm1 is gone from the host; stop and start the VM, which makes it anew';
    expect((await hnet(one, 'check')).stdout).to.contain(`cut off  ${why}`);
    expect((await hnet(one, 'status')).stdout).to.contain(why);
    expect(await hnet(one, 'sync')).to.deep.equal({ code: 1, stdout: '', stderr: `hnet: "vm1": ${why}` });
  });
});

kernelSuite('sync', scene => {
  for (const backend of ['iptables', 'nftables']) {
    it(`runs no command that changes anything where all is in order (${backend})`, async () => {
      const { one, config } = await ordered(await scene(), backend);
      expect(config).to.contain(backend);
      const before = await snapshot(one.host);
      const { code, stdout, stderr } = await hnet(one, '--trace', 'sync');
      expect({ code, stdout }).to.deep.equal({ code: 0, stdout: '' });
      expect(stderr).to.match(/^\+ ip -json/m);
      expect(changing(stderr)).to.deep.equal([]);
      expect(await snapshot(one.host)).to.equal(before);
    });

    it(`makes the limits of each bridge anew that somebody deleted (${backend})`, async () => {
      const { one } = await ordered(await scene(), backend);
      const sound = await one.host.run(['nft', '-t', '-s', 'list', 'ruleset']);
      for (const [family, label] of [
        ['arp', 'limit of ARP senders'],
        ['inet', 'limit of connections'],
      ] as const) {
        await one.host.run(['nft', 'delete', 'table', family, 'hnet']);
        expect(await hnet(one, 'check')).to.deep.include({
          code: 3,
          stdout: `DOMAIN  WHAT${' '.repeat(label.length - 2)}IS       WHY\n-       ${label}  missing  it is missing`,
        });
        expect(await ok(one, 'sync')).to.deep.equal([`repaired: ${label} (it was missing)`]);
        expect(await hnet(one, 'check')).to.include({ code: 0, stdout: 'Everything is as it should be' });
      }
      const tables = (text: string): string[] => text.split(/^(?=table )/m).sort();
      expect(tables(await one.host.run(['nft', '-t', '-s', 'list', 'ruleset']))).to.deep.equal(tables(sound));
    });

    it(`asks each tool once for the traffic (${backend})`, async () => {
      const { one } = await ordered(await scene(), backend);
      const { code, stderr } = await hnet(one, '--trace', 'traffic');
      expect(code).to.equal(0);
      const asked = stderr.split('\n').filter(line => /^\+ (nft|ipset|iptables)/.test(line));
      expect(asked).to.deep.equal([...new Set(asked)]);
      expect(asked.filter(line => / list ruleset/.test(line))).to.have.length(1);
    });

    it(`sweeps everything of a domain of which no record is left (${backend})`, async () => {
      const { one, libvirt, base } = await ordered(await scene(), backend);
      await libvirt.end('vm1');
      await one.host.sh('rm -r /run/hnet/*');
      expect((await hnet(one, 'check')).code).to.equal(3);
      const swept = (await ok(one, 'sync')).join('\n');
      for (const what of [
        'route 123.45.90.116',
        'in hnet4-in',
        'in hnet4-scopes',
        'DHCP server',
        'bridge br116',
      ])
        expect(swept).to.contain(what);
      expect(await snapshot(one.host)).to.equal(base);
    });
  }

  for (const [from, to] of [
    ['nftables', 'iptables'],
    ['iptables', 'nftables'],
  ] as const) {
    const filter = (pools: readonly string[], backend: string) =>
      `pools = ${JSON.stringify(pools)}\n[firewall]\nbackend = "${backend}"\n`;

    it(`removes the filter in ${from}, in a family too that no pool has any more`, async () => {
      const one = await scene({ config: filter(POOLS6, from) });
      await FakeLibvirt.create(one);
      await one.base();
      await one.configure(filter(POOLS, to));
      expect(await ok(one, 'sync')).to.include(`removed: the filter in ${from}`);
      expect(await ok(one, 'sync')).to.deep.equal([]);
      const left = await one.host.sh(
        from === 'nftables' ? 'nft list tables' : 'ip6tables-save; iptables-save; ipset list -n',
      );
      // The limits in the tables of arp and inet belong to both.
      expect(left).not.to.match(from === 'nftables' ? /table ip6? hnet/ : /hnet/);
    });

    it(`doesn't say that the filter in ${from} is removed if it isn't`, async () => {
      const one = await scene({ config: filter(POOLS, from) });
      await FakeLibvirt.create(one);
      await one.base();
      await one.configure(filter(POOLS, to));
      const idle = (words: string) =>
        `input=$(cat); case $input in *"${words}"*) exit 0; esac; printf '%s\\n' "$input" | ${REAL}/$(basename $0) "$@"`;
      if (from === 'nftables') await one.replace('/usr/sbin/nft', idle('delete table'));
      else await one.replace('/usr/sbin/ipset', idle('destroy'));
      const { code, stdout, stderr } = await hnet(one, 'sync');
      expect({ code, stdout }).to.include({ code: 1 });
      expect(stdout).not.to.contain('removed: the filter');
      expect(stderr).to.match(
        new RegExp(`^hnet: Cannot repair the filter in ${from} .*it is as it was`, 'm'),
      );
    });
  }

  it('takes down what a domain left that ended without its hook', async () => {
    const { one, libvirt, base } = await ordered(await scene());
    await libvirt.end('vm1');
    expect(await ok(one, 'sync', '--dry-run')).to.deep.equal([`- "vm1": br116 of "vm1" (it doesn't run)`]);
    expect(await ok(one, 'sync')).to.deep.equal([
      'removed: br116 of "vm1" (left over from a run that has ended)',
    ]);
    expect(await snapshot(one.host)).to.equal(base);
  });

  it('discards a damaged attachment of a domain that does not run, and sweeps what it had', async () => {
    const { one, libvirt, base } = await ordered(await scene());
    await libvirt.end('vm1');
    await one.host.sh(`echo '{"domain":' >${ATTACHMENT}; touch /run/hnet/dhcp/br9.conf~`);
    await ok(one, 'sync');
    expect(await snapshot(one.host)).to.equal(base);
  });

  it('changes nothing in a dry run, and says what it would do', async () => {
    const { one } = await ordered(await scene());
    await one.host.sh('ip route del 123.45.90.116 dev br116; iptables -t mangle -F');
    const before = await snapshot(one.host);
    const [filter, route, ...more] = await ok(one, 'sync', '--dry-run');
    expect(filter).to.match(/^~ mangle table \(hnet-forward has 0 rules, not \d+\)$/);
    expect(route).to.equal('+ "vm1": route 123.45.90.116 to br116 (it is missing)');
    expect(more).to.deep.equal([]);
    expect(await snapshot(one.host)).to.equal(before);
  });

  it('leaves alone a domain that is starting: its attachment is newer than the list of domains', async () => {
    const { one, libvirt } = await ordered(await scene());
    // Between libvirt's answer and sync's own look, another domain starts.
    await one.replace(
      '/usr/bin/flock',
      `[ -e /run/lab/held ] || { touch /run/lab/held; while [ ! -e /run/lab/go ]; do sleep 0.02; done; }
      exec /run/lab/real/flock "$@"`,
    );
    await one.host.sh('ip route del 123.45.90.116 dev br116');
    const syncing = ok(one, 'sync');
    await one.host.sh('while [ ! -e /run/lab/held ]; do sleep 0.02; done');
    await one.prepare('vm2', ['123.45.53.12']);
    await libvirt.run('vm2', { addresses: ['123.45.53.12'] });
    await one.host.sh('touch /run/lab/go');
    expect((await syncing).join('\n')).not.to.contain('vm2');
    expect(await one.host.run(['ip', 'route', 'show', '123.45.53.12'])).to.contain('br12');
  });

  it('spares what belongs to a running domain although its metadata cannot be used', async () => {
    const { one, libvirt } = await ordered(await scene());
    await libvirt.run('vm1', { metadata: '<hnet:assignment xmlns:hnet="urn:hnet:1"/>' });
    await one.host.sh('rm -r /run/hnet/*');
    const before = await one.host.sh('ip route; ipset save; iptables-save -t mangle | grep -v ^#');
    const why = "its hnet metadata can't be used: the assignment holds no address; ";
    for (const words of [['check'], ['check', 'vm1']]) {
      const { code, stdout } = await hnet(one, ...words);
      expect({ code, stdout }, words.join(' ')).to.have.property('code', 3);
      expect(stdout).to.match(new RegExp(`^vm1 +assignment +changed +${why}`, 'm'));
    }
    const { code, stderr } = await hnet(one, 'sync');
    expect({ code, stderr }).to.have.property('code', 1);
    expect(stderr).to.contain(`"vm1": ${why}`);
    expect(await one.host.sh('ip route; ipset save; iptables-save -t mangle | grep -v ^#')).to.equal(before);
  });

  it('repairs the others although one cannot be repaired, and says so', async () => {
    const { one, libvirt } = await ordered(await scene());
    await one.prepare('vm2', ['123.45.53.12']);
    await libvirt.run('vm2', { addresses: ['123.45.53.12'] });
    await one.host.sh('ip link del br116; ip link del br12; ip link add br116 type bridge');
    const { code, stderr } = await hnet(one, 'sync');
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr: `hnet: "vm1": Cannot set up bridge br116: an interface of that name exists and isn't hnet's`,
    });
    expect(await one.host.run(['ip', 'route', 'show', '123.45.53.12'])).to.contain('br12');
  });

  it(`takes no more processes for ${MANY} domains than for one, to check and to repair`, async () => {
    const one = await scene({ pools: [POOL], config: `pools = ["${POOL}"]\n` });
    const libvirt = await FakeLibvirt.create(one);
    await libvirt.run('vm0', { addresses: ['123.45.94.0'] });
    await ok(one, 'sync');
    const few = await processes(one);
    const numbers = Array.from({ length: MANY }, (_, number) => number);
    await libvirt.runAll(
      new Map(
        numbers.map(number => [
          uuidOf(`vm${number}`),
          pluggedXml(`vm${number}`, { addresses: [`123.45.94.${number}`] }),
        ]),
      ),
    );
    expect(await ok(one, 'sync')).to.have.length.greaterThan(MANY);
    const routes = await one.host.run(['ip', 'route', 'show', 'proto', '104', 'type', 'unicast']);
    expect(routes.split('\n')).to.have.length(MANY);
    const many = await processes(one);
    // Node takes numbers of processes for its threads, and not always for as many.
    for (const [what, count] of Object.entries(many)) expect(count, what).to.be.below((few[what] ?? 0) + 10);
  });

  it('follows the metadata of a running domain: another address, rules, none', async () => {
    const { one, libvirt, base } = await ordered(await scene());
    const taps = TAPS;
    await one.host.guest({ name: 'vm1', bridge: 'br116' });
    const assignment = (inner: string) => `<assignment xmlns="urn:hnet:1">${inner}</assignment>`;
    const address = (ip: string) => `<address ip="${ip}" bridge="br116" scope="172.30.116.0/24"/>`;
    await libvirt.run('vm1', {
      metadata: assignment(address('123.45.90.116') + address('123.45.53.11')),
      taps,
    });
    expect(await ok(one, 'sync')).to.deep.equal(['changed: br116 of "vm1" (its assignment has changed)']);
    expect(await one.host.run(['ip', 'route', 'show', '123.45.53.11'])).to.contain('br116');
    await libvirt.run('vm1', {
      metadata: assignment(
        `${address('123.45.90.116')}<policy inbound="deny"><rule>allow tcp/22</rule></policy>`,
      ),
      taps,
    });
    await ok(one, 'sync');
    expect(await one.host.run(['iptables-save', '-t', 'mangle'])).to.contain('--dports 22');
    expect(await one.host.run(['ip', 'route', 'show', '123.45.53.11'])).to.contain('blackhole');
    await libvirt.run('vm1', { taps });
    await ok(one, 'sync');
    await one.host.sh('ip link del vm1');
    // A change of rules leaves entries that end by themselves.
    const settled = async () => !(await one.host.run(['ipset', 'save'])).includes('add hnet4-settling');
    await until(settled, PATIENCE, 'the addresses to settle');
    expect(await snapshot(one.host)).to.equal(base);
  });

  it('names a pool that is gone from hnet.toml under a running domain: it would not start again', async () => {
    const { one } = await ordered(await scene());
    await one.configure('pools = ["123.45.53.11"]\n[firewall]\nbackend = "iptables"\n');
    await ok(one, 'sync');
    const why = 'its next start would be refused: 123.45.90.116 is outside the pools (123.45.53.11)';
    const { code, stdout } = await hnet(one, 'check', 'vm1');
    expect({ code, stdout }).to.have.property('code', 3);
    expect(stdout)
      .to.match(/^vm1 +next start +changed /m)
      .and.to.contain(why);
    expect((await hnet(one, 'status')).stdout).to.contain(why);
  });

  it('repairs without libvirt what it has records of, and removes nothing', async () => {
    const { one } = await ordered(await scene());
    await one.restore('/usr/bin/virsh');
    await one.host.sh('ip route del 123.45.90.116 dev br116; rm -r /run/hnet/claims');
    await one.host.sh(`ip link add br9 type bridge; ip link set br9 alias "hnet ${uuidOf('vm9')}"`);
    const { code, stdout, stderr } = await hnet(one, 'sync');
    // It couldn't look at everything.
    expect(code).to.equal(1);
    expect(stderr).to.contain('what no domain owns stays');
    expect(stdout).to.contain('repaired: vm1: route 123.45.90.116');
    const checked = await hnet(one, 'check');
    expect(checked.code).to.equal(1);
    expect(checked.stdout).to.match(/^- +running domains +unknown +Cannot /m);
    expect(checked.stdout).not.to.contain('Everything is as it should be');
    await one.host.run(['ip', 'link', 'show', 'br9']);
  });
});

/** How many processes it takes to look, and to bring back what every domain has lost of filter and routes. */
async function processes(one: Scene): Promise<Record<string, number>> {
  // The machine numbers its own processes, one after the other.
  const next = async () => Number(await one.host.sh('sh -c "echo \\$\\$"'));
  const during = async (...argv: string[]): Promise<number> => {
    const before = await next();
    await hnet(one, ...argv);
    return (await next()) - before;
  };
  const [check, sync] = [await during('check'), await during('sync')];
  await one.host.sh(`ipset flush; iptables -t mangle -F
    ip route show proto 104 type unicast | sed 's/^\\(.* dev [^ ]*\\).*/route del \\1/' | ip -batch -`);
  return { check, sync, repair: await during('sync') };
}

const TAPS = [{ bridge: 'br116', tap: 'vm1' }];

async function running(one: Scene): Promise<{ one: Scene; guest: Guest; libvirt: FakeLibvirt }> {
  const libvirt = await FakeLibvirt.create(one);
  await one.base();
  const guest = await one.start('vm1', '123.45.90.116');
  await libvirt.run('vm1', { addresses: ['123.45.90.116'], taps: TAPS });
  return { one, guest, libvirt };
}

/** One domain runs, nothing is wrong; `base` is what stood before. */
async function ordered(one: Scene, backend = 'iptables') {
  const config = `pools = ["123.45.90.112/29", "123.45.53.11", "123.45.53.12"]\n[firewall]\nbackend = "${backend}"\n`;
  await one.configure(config);
  const libvirt = await FakeLibvirt.create(one);
  await one.base();
  const base = await snapshot(one.host);
  await one.prepare('vm1', ['123.45.90.116']);
  await libvirt.run('vm1', { addresses: ['123.45.90.116'] });
  return { one, libvirt, base, config };
}
