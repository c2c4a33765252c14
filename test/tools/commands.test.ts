import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { Lab } from '../lab/lab.ts';
import type { Outcome } from '../lab/run.ts';
import { PATIENCE } from '../lab/wait.ts';
import { expectPromised } from '../support/promised.ts';
import { COMPILED, DIST, hnet } from './program.ts';
import { equip, fetchTools, TREE } from './toolbox.ts';

const CONFIG = `pools = ["123.45.90.112/29", "2001:db8:12:48::/64"]
[dhcp]
dns = ["9.9.9.9", "2620:fe::fe"]
`;
/** Where the hypervisor sees the program, and the tools. */
const PROGRAM = '/root/hnet';
const TOOLS = '/root/tools';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExample me@desk';
const assigned = (...ips: string[]) =>
  `<h:assignment xmlns:h="urn:hnet:1">${ips.map(ip => `<h:address ip="${ip}" bridge="br116" scope="172.30.116.0/24"/>`).join('')}</h:assignment>`;

/** The commands as a user calls them, with libvirt's own domains. */
describe('hnet guest and hnet hosts', () => {
  let lab: Lab;
  let hv: Hypervisor;

  const call = (...words: string[]): Promise<Outcome> =>
    hv.attempt(hnet(words, PROGRAM, `${PROGRAM}/compiled.cjs`));

  /** What is refused leaves a message of one line, and nothing else. */
  async function refused(code: number, message: RegExp, ...words: string[]): Promise<void> {
    const outcome = await call(...words);
    expect([outcome.code, outcome.stdout]).to.deep.equal([code, '']);
    expect(outcome.stderr).to.match(message).and.not.to.contain('\n');
  }

  /** One of the tools by itself; mkisofs is a link to the first. */
  const hideOthers = (tool: string): Promise<string> =>
    hv.sh(`
      for each in genisoimage xorrisofs; do
        while umount /usr/bin/$each 2>/dev/null; do :; done
        if test $each != ${tool}; then mount --bind /dev/null /usr/bin/$each; fi
      done`);

  before(async () => {
    await fetchTools();
    lab = await Lab.create();
    hv = await lab.hypervisor('h1', { copy: { [PROGRAM]: DIST }, bind: { [TOOLS]: TREE } });
    await hv.write(`${PROGRAM}/compiled.cjs`, readFileSync(COMPILED, 'utf8'));
    await hv.write('/etc/hnet/hnet.toml', CONFIG);
    const nic = { type: 'bridge', source: 'br116', mac: '52:54:00:00:01:16' } as const;
    await hv.vm({
      name: 'vm1',
      nic,
      metadata: assigned('123.45.90.116', '2001:db8:12:48::116'),
      boots: false,
    });
    await hv.vm({ name: 'Büro $(id)', nic, metadata: assigned('123.45.90.112/30'), boots: false });
    await hv.vm({ name: 'www.example.org', nic, metadata: assigned('2001:db8:12:48::80'), boots: false });
    await hv.vm({ name: 'localhost', nic, metadata: assigned('123.45.90.118'), boots: false });
    await hv.vm({
      name: 'elsewhere',
      nic: { ...nic, source: 'br9' },
      metadata: assigned('123.45.90.117'),
      boots: false,
    });
    await hv.vm({ name: 'bare', nic, boots: false });
  });
  after(() => lab?.remove());

  it('prints one format, with both families', async () => {
    const { code, stdout, stderr } = await call(
      'guest',
      'vm1',
      '--format',
      'ifupdown',
      '--interface',
      'ens3',
    );
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.contain(
      [
        'auto ens3',
        'iface ens3 inet static',
        '    address 123.45.90.116/32',
        '    pointopoint 123.45.12.48',
        '    gateway 123.45.12.48',
        '    dns-nameservers 9.9.9.9 2620:fe::fe',
        '    dns-search lan',
        '',
        'iface ens3 inet6 static',
        '    address 2001:db8:12:48::116/128',
        '    gateway fe80::1',
      ].join('\n'),
    );
  });

  it('prints all formats under their names, and configures every address of a small subnet', async () => {
    const { stdout } = await call('guest', 'Büro $(id)', '--format', 'all');
    const titles = [...stdout.matchAll(/^#### (\S+)$/gm)].map(([, title]) => title);
    expect(titles.join(' ')).to.equal(
      'ifupdown netplan networkd networkmanager cloud-init cloud-init-v1 freebsd openbsd windows',
    );
    for (const octet of [112, 113, 114, 115])
      expect(stdout.split(`123.45.90.${octet}`)).to.have.length(10, `123.45.90.${octet} once in each format`);
    expect(stdout).to.contain('hostname="buro-id"');
  });

  it('answers programs the same, a list of files for each format', async () => {
    const argv = ['guest', 'vm1', '--format', 'all', '--json'];
    const answer = await call(...argv);
    expectPromised(argv, answer);
    const { formats } = JSON.parse(answer.stdout);
    expect(formats).to.have.length(9);
    for (const { format, files } of formats) {
      const { stdout } = await call('guest', 'vm1', '--format', format);
      for (const { path, text } of files) expect(stdout).to.include(`# ${path}\n${text.trimEnd()}`);
    }
  });

  it('refuses what it cannot do', async () => {
    const formats =
      /ifupdown, netplan, networkd, networkmanager, cloud-init, cloud-init-v1, freebsd, openbsd, windows, all$/;
    await refused(2, formats, 'guest', 'vm1');
    await refused(2, formats, 'guest', 'vm1', '--format', 'toString');
    await refused(
      2,
      /"\$\(id\)": it is not an interface/,
      'guest',
      'vm1',
      '--format',
      'all',
      '--interface',
      '$(id)',
    );
    await refused(2, /with --seed$/, 'guest', 'vm1', '--format', 'all', '--ssh-key', '/root/key.pub');
    await refused(
      2,
      /takes cloud-init or cloud-init-v1$/,
      'guest',
      'vm1',
      '--seed',
      '/root/s',
      '--format',
      'netplan',
    );
    await refused(1, /"bare": it has no address; hnet assign/, 'guest', 'bare', '--format', 'all');
    await refused(
      1,
      /"elsewhere": none of its interfaces is on br116/,
      'guest',
      'elsewhere',
      '--format',
      'all',
    );
    await refused(1, /Cannot find a domain "nobody"/, 'guest', 'nobody', '--format', 'all');
    await refused(2, /--domain "a b"/, 'hosts', '--domain', 'a b');
  });

  it('prints the names of all assignments', async () => {
    expect((await call('hosts')).stdout.split('\n')).to.deep.equal([
      ...[112, 113, 114, 115].map(octet => `123.45.90.${octet}\tburo-id.lan buro-id`),
      '123.45.90.116\tvm1.lan vm1',
      '123.45.90.117\telsewhere.lan elsewhere',
      `123.45.90.118\tvm-${(await hv.virsh('domuuid', 'localhost')).slice(0, 8)}.lan vm-${(await hv.virsh('domuuid', 'localhost')).slice(0, 8)}`,
      '2001:db8:12:48::80\twww.example.org www',
      '2001:db8:12:48::116\tvm1.lan vm1',
    ]);
  });

  it('prints PTR records', async () => {
    const { stdout } = await call('hosts', '--ptr', '--domain', 'Example.net');
    expect(stdout).to.contain('116.90.45.123.in-addr.arpa. IN PTR vm1.example.net.');
    expect(stdout).to.contain(
      '0.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.4.0.0.2.1.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR www.example.org.',
    );
  });

  it('prints traffic as node_exporter takes it, whatever a domain is called', async () => {
    await hv.vm({ name: 'say "hi" \\n', nics: [], metadata: assigned('123.45.90.119'), boots: false });
    const { code, stdout } = await call('traffic', '--prometheus');
    expect(code).to.equal(0);
    await hv.write('/run/textfile/hnet.prom', `${stdout}\n`);
    const exporter = hv.start([
      `${TOOLS}/usr/bin/prometheus-node-exporter`,
      '--collector.disable-defaults',
      '--collector.textfile',
      '--collector.textfile.directory=/run/textfile',
      '--web.listen-address=127.0.0.1:9100',
    ]);
    try {
      await exporter.until(/[Ll]istening on/, PATIENCE);
      const get = `fetch('http://127.0.0.1:9100/metrics').then(one => one.text()).then(console.log)`;
      const seen = (await hv.run([process.execPath, '-e', get])).split('\n');
      expect(seen).to.include('node_textfile_scrape_error 0');
      const ours = (lines: string[]) => lines.filter(line => /^(# TYPE )?hnet_/.test(line)).map(sorted);
      expect(ours(seen)).to.have.members(ours(stdout.split('\n')));
      expect(ours(seen)).to.have.length.above(10);
      expect(seen).to.include(
        'hnet_receive_bytes_total{address="123.45.90.119",domain="say \\"hi\\" \\\\n"} 0',
      );
    } finally {
      await exporter.stop();
    }
  });

  describe('--seed', () => {
    it('names the package where no tool is installed, and writes nothing', async () => {
      // The machine has what the one beneath has installed.
      const rename = (from: string, to: string) =>
        hv.sh(`cd /usr/bin
          for each in genisoimage mkisofs xorrisofs; do test ! -e $each${from} || mv $each${from} $each${to}; done`);
      await rename('', '.away');
      await refused(1, /apt-get install xorriso$/, 'guest', 'vm1', '--seed', '/root/none.iso');
      await rename('.away', '');
      expect((await hv.attempt(['test', '-e', '/root/none.iso'])).code).to.equal(1);
    });

    it('refuses a path that exists, a directory that does not, and a private key', async () => {
      await equip(hv, TOOLS);
      await hv.sh('echo mine >/root/mine.iso; echo "-----BEGIN OPENSSH PRIVATE KEY-----" >/root/key');
      await refused(1, /"\/root\/mine\.iso": it exists$/, 'guest', 'vm1', '--seed', '/root/mine.iso');
      expect(await hv.read('/root/mine.iso')).to.equal('mine');
      await refused(1, /Cannot write "\/nowhere\/s\.iso"/, 'guest', 'vm1', '--seed', '/nowhere/s.iso');
      const key = ['--ssh-key', '/root/key'];
      await refused(1, /not a file of public SSH keys$/, 'guest', 'vm1', '--seed', '/root/s.iso', ...key);
      expect(await hv.sh('ls /root/*.iso /tmp | grep -e seed -e "s.iso" || true')).to.equal('');
    });

    for (const tool of ['genisoimage', 'xorrisofs']) {
      it(`writes an image that cloud-init's NoCloud finds, with ${tool}`, async () => {
        await hv.write('/root/key.pub', `# mine\n${KEY}\n`);
        await hideOthers(tool);
        const seed = `/root/${tool}.iso`;
        const { code, stdout, stderr } = await call(
          'guest',
          'vm1',
          '--seed',
          seed,
          '--ssh-key',
          '/root/key.pub',
        );
        expect([code, stderr]).to.deep.equal([0, '']);
        expect(stdout).to.contain(`${seed} written`);
        expect(await hv.run(['stat', '-c', '%a', seed])).to.equal('600');
        expect(await hv.run(['blkid', '-o', 'value', '-s', 'LABEL', seed])).to.equal('cidata');
        const read = (file: string) => hv.run(['isoinfo', '-R', '-i', seed, '-x', `/${file}`]);
        const uuid = await hv.virsh('domuuid', 'vm1');
        expect(await read('meta-data')).to.equal(`instance-id: "${uuid}"\nlocal-hostname: "vm1"`);
        expect(await read('user-data')).to.equal(`#cloud-config\nssh_authorized_keys:\n  - "${KEY}"`);
        expect(await read('network-config')).to.match(/^version: 2\n/);
      });
    }
  });
});

/** A sample with its labels in alphabetical order, which is theirs. */
const sorted = (line: string): string =>
  line.replace(
    /\{(.*)\}/,
    (_, labels: string) => `{${(labels.match(/\w+="(?:\\.|[^"\\])*"/g) ?? []).sort().join(',')}}`,
  );
