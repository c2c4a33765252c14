import { expect } from 'chai';
import fc from 'fast-check';
import { CLUSTER_FILE } from '../../src/model/names.ts';
import type { Outcome } from '../lab/run.ts';
import { COMMAND, HOOK, PROGRAM } from '../support/build.ts';
import { type DomainOptions, domainXml } from '../support/domain.ts';
import { gateWith } from '../support/gate.ts';
import type { Scene } from '../support/scene.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

const GATE = '/etc/libvirt/hooks/qemu';
const MARK = '/run/lab/node-was-here';
const SILENCE: Outcome = { code: 0, stdout: '', stderr: '' };
const ASSIGNED: DomainOptions = { addresses: ['123.45.90.116'] };

kernelSuite('the gate before node', scene => {
  it('starts and stops a domain that is ours', async () => {
    const one = await installed(process.execPath);
    await one.base();
    const before = await snapshot(one.host);
    expect(await call(one, 'prepare', ASSIGNED)).to.deep.equal(SILENCE);
    expect(await snapshot(one.host)).to.contain('123.45.90.116 dev br116');
    expect(await call(one, 'reconnect', ASSIGNED)).to.deep.equal(SILENCE);
    // The assignment may go while the domain runs: what it has attached goes all the same.
    expect(await call(one, 'release', {})).to.deep.equal(SILENCE);
    await expectUnchanged(one.host, before);
  });

  it('goes before what else runs, and what it leaves behind does not', async () => {
    const one = await installed('/run/lab/node');
    await one.host.write(
      '/run/lab/node',
      `#!/bin/sh\nnice >/run/lab/niceness; exec ${process.execPath} "$@"\n`,
    );
    await one.host.run(['chmod', '755', '/run/lab/node']);
    expect(await call(one, 'prepare', ASSIGNED)).to.deep.equal(SILENCE);
    expect(await one.host.read('/run/lab/niceness')).to.equal('-15');
    expect((await one.host.run(['ps', '-C', 'dnsmasq', '-o', 'ni='])).trim()).to.equal('0');
    expect(await call(one, 'release', ASSIGNED)).to.deep.equal(SILENCE);
  });

  it("hands on the refusal, word for word, and node's exit code", async () => {
    const one = await installed(process.execPath);
    const { code, stdout, stderr } = await call(one, 'prepare', { addresses: ['123.45.91.1'] });
    expect([code, stdout]).to.deep.equal([1, '']);
    expect(stderr).to.match(/^hnet: Cannot start "vm1": 123\.45\.91\.1 is outside the pools .*$/);
  });

  it('hands on the XML as it is', async () => {
    const one = await installed('/run/lab/node');
    await one.host.write(
      '/run/lab/node',
      '#!/bin/sh\nshift; printf "%s|" "$@" >/run/lab/words; cat >/run/lab/xml\n',
    );
    await one.host.run(['chmod', '755', '/run/lab/node']);
    const name = '$(id) `id` $HOME \\ "x" \\n %s';
    expect(await call(one, 'prepare', ASSIGNED, name)).to.deep.equal(SILENCE);
    expect(await one.host.read('/run/lab/xml')).to.equal(domainXml(name, ASSIGNED).trimEnd());
    expect(await one.host.read('/run/lab/words')).to.equal(`${name}|prepare|begin|-|`);
  });

  it('starts no node for a domain that is not ours', async () => {
    const one = await installed('/run/lab/node');
    await markingNode(one, 0);
    const foreign = { metadata: '<x:note xmlns:x="urn:another:1">hnet</x:note>' };
    for (const operation of ['prepare', 'release', 'reconnect']) {
      for (const options of [{}, foreign]) expect(await call(one, operation, options)).to.deep.equal(SILENCE);
    }
    expect(await wasHere(one)).to.equal(false);
    expect(await call(one, 'prepare', ASSIGNED)).to.deep.equal(SILENCE);
    expect(await wasHere(one)).to.equal(true);
  });

  it('starts no node at any other operation, and leaves standard input alone', async () => {
    const one = await installed('/run/lab/node');
    await markingNode(one, 0);
    const xml = domainXml('vm1', ASSIGNED).trimEnd();
    for (const operation of ['start', 'started', 'stopped', 'migrate', 'restore', 'attach', 'no-such', '']) {
      const script = `${GATE} vm1 "${operation}" begin - && cat`;
      const outcome = await one.host.attempt(['sh', '-c', script], { input: xml });
      expect(outcome, operation).to.deep.equal({ ...SILENCE, stdout: xml });
    }
    expect(await wasHere(one)).to.equal(false);
  });

  it('hands on a move from another host where this one shares its pools, and the refusal of it', async () => {
    const one = await installed(process.execPath);
    await one.host.write(CLUSTER_FILE, '{}');
    await one.host.sh(`cat >>/etc/hnet/hnet.toml <<'END'
[cluster]
name = "lab"
interface = "eth0"
etcd = ["http://10.9.0.1:2379"]
announce = "bgp"
END`);
    const { code, stdout, stderr } = await call(one, 'migrate', { addresses: ['123.45.91.1'] });
    expect([code, stdout]).to.deep.equal([1, '']);
    expect(stderr).to.match(/^hnet: Cannot take over "vm1": 123\.45\.91\.1 is outside the pools .*$/);
    expect((await call(one, 'migrate', ASSIGNED)).stderr).to.match(
      /^hnet: Cannot take over "vm1": This host hasn't joined the cluster "lab" of hnet\.toml; hnet cluster join does it$/,
    );
    expect(await call(one, 'migrate', {})).to.deep.equal(SILENCE);
    await one.host.run(['rm', '/usr/lib/hnet/qemu.cjs']);
    expect((await call(one, 'migrate', ASSIGNED)).stderr).to.match(
      /^hnet: Cannot move the domain here: \S+ is missing; install hnet again$/,
    );
  });

  it('says so in one line where node is missing, but lets a running VM live', async () => {
    const one = await installed('/run/lab/no-such-node');
    for (const operation of ['release', 'reconnect']) {
      expect((await call(one, operation, ASSIGNED)).code, operation).to.equal(0);
    }
    const { code, stdout, stderr } = await call(one, 'prepare', ASSIGNED);
    expect(code).not.to.equal(0);
    expect(stdout).to.equal('');
    expect(stderr.split('\n').at(-1)).to.match(
      /^hnet: Cannot start the domain: \S+ doesn't run; install hnet again/,
    );
  });

  it('says so in one line where the program is missing', async () => {
    const one = await installed(process.execPath);
    await one.host.run(['rm', '/usr/lib/hnet/qemu.cjs']);
    const { code, stdout, stderr } = await call(one, 'prepare', ASSIGNED);
    expect(code).not.to.equal(0);
    expect(stdout).to.equal('');
    expect(stderr).to.match(/^hnet: Cannot start .*$/);
    expect((await call(one, 'reconnect', ASSIGNED)).code).to.equal(0);
  });

  it('prints nothing of what node prints, and keeps its failures from a running VM', async () => {
    const one = await installed('/run/lab/node');
    await markingNode(one, 3);
    for (const operation of ['release', 'reconnect']) {
      const { code, stdout } = await call(one, operation, ASSIGNED);
      expect([code, stdout], operation).to.deep.equal([0, '']);
    }
    const { code, stdout } = await call(one, 'prepare', ASSIGNED);
    expect([code, stdout]).to.deep.equal([3, '']);
  });

  it('tries once more, without what is kept of compiled code, where node crashes', async () => {
    const one = await installed('/run/lab/node');
    for (const signal of ['ILL', 'TRAP', 'ABRT', 'BUS', 'FPE', 'SEGV']) {
      await dyingNode(one, signal);
      expect(await call(one, 'prepare', ASSIGNED), signal).to.include({ code: 0, stdout: '' });
      expect(await one.host.read('/run/lab/xml')).to.equal(domainXml('vm1', ASSIGNED).trimEnd());
    }
  });

  it('tries nothing again where somebody ends node', async () => {
    const one = await installed('/run/lab/node');
    for (const signal of ['TERM', 'KILL']) {
      await dyingNode(one, signal);
      expect((await call(one, 'prepare', ASSIGNED)).code, signal).to.be.greaterThan(128);
      expect((await one.host.attempt(['test', '-e', '/run/lab/xml'])).code).to.equal(1);
      expect((await call(one, 'reconnect', ASSIGNED)).code).to.equal(0);
    }
  });

  it('tries no more than once', async () => {
    const one = await installed('/run/lab/node');
    await markNode(one, 'echo >>/run/lab/tries; kill -SEGV $$');
    expect((await call(one, 'prepare', ASSIGNED)).code).to.equal(139);
    expect((await call(one, 'release', ASSIGNED)).code).to.equal(0);
    expect(await one.host.run(['wc', '-l', '/run/lab/tries'])).to.match(/^4 /);
  });

  /** The shells that may be /bin/sh. */
  for (const shell of ['dash', 'busybox sh', 'bash']) {
    it(`reads a megabyte of anybody's metadata in no time (${shell})`, async () => {
      const one = await installed('/run/lab/node');
      await markNode(one, 'cat >/run/lab/xml');
      for (const [what, xml] of Object.entries(HOSTILE)) {
        const outcome = await limited(one, shell, xml);
        expect(outcome, what).to.deep.equal(SILENCE);
        expect((await one.host.attempt(['test', '-e', '/run/lab/xml'])).code, what).to.equal(1);
        // Ours, behind all that.
        const ours = xml.replace(/<\/metadata>(?!.*<\/metadata>)/s, `${OURS}</metadata>`);
        expect(await limited(one, shell, ours), what).to.deep.equal(SILENCE);
        expect(await one.host.read('/run/lab/xml'), what).to.equal(ours.trimEnd());
        await one.host.run(['rm', '/run/lab/xml']);
      }
    });
  }

  it('gives up on a standard input that never ends', async () => {
    const one = await installed(process.execPath);
    await one.host.sh('mkfifo /run/lab/endless');
    const endless = `{ printf %s "$0"; exec sleep 600; } >/run/lab/endless &
      ${GATE} vm1 prepare begin - </run/lab/endless; code=$?; kill $!; exit $code`;
    const xml = domainXml('vm1', ASSIGNED).replace('</domain>', '');
    const { code, stderr } = await one.host.attempt(['sh', '-c', endless, xml]);
    expect(code).to.equal(1);
    expect(stderr).to.match(/^hnet: Cannot start ".*": the XML can't be read.*$/);
  });

  it('uses no compiled code that is damaged, whichever byte it is', async () => {
    const one = await scene();
    const run = async () => (await one.host.attempt([process.execPath, COMMAND, '--version'])).code;
    expect(await run()).to.equal(0);
    const file = (await one.host.sh('ls /var/cache/hnet/cli-*')).trim();
    const size = Number(await one.host.run(['stat', '-c', '%s', file]));
    for (const offset of fc.sample(fc.nat(size - 1000), 8)) {
      const damaged = await one.host.run([process.execPath, '-e', FLIP, file, String(offset)]);
      expect(await run(), `byte ${offset}`).to.equal(0);
      // It has been written anew, so that the damaged one wasn't used.
      expect(await one.host.run(['sha1sum', file]), `byte ${offset}`).not.to.contain(damaged);
    }
    for (const harm of [': >', 'truncate -s -4096', 'head -c 4096 /dev/urandom >']) {
      await one.host.sh(`${harm} ${file}`);
      expect(await run(), harm).to.equal(0);
    }
  });

  /** The gate and the program where install.sh puts them. */
  async function installed(node: string): Promise<Scene> {
    const one = await scene();
    await one.overlay('/usr/lib');
    await one.host.run(['install', '-D', '-m644', '-t', '/usr/lib/hnet', HOOK, PROGRAM]);
    await one.host.write(GATE, gateWith(node));
    await one.host.run(['chmod', '755', GATE]);
    return one;
  }
});

function call(one: Scene, operation: string, options: DomainOptions, name = 'vm1'): Promise<Outcome> {
  return one.host.attempt([GATE, name, operation, 'begin', '-'], { input: domainXml(name, options) });
}

/** A call of the gate with so much processor time as it may take: a loaded machine makes it slow, and no dearer. */
function limited(one: Scene, shell: string, xml: string): Promise<Outcome> {
  const script = `ulimit -t 4; exec ${shell} ${GATE} vm1 prepare begin -`;
  return one.host.attempt(['sh', '-c', script], { input: xml });
}

const repeated = (text: string): string => text.repeat(Math.ceil(1_000_000 / text.length));
const around = (metadata: string, description = ''): string =>
  domainXml('vm1').replace(
    '<metadata></metadata>',
    () => `${description}<metadata>\n${metadata}\n  </metadata>`,
  );

/** What somebody may have put into a domain: libvirt hands on all of it. */
const HOSTILE: Readonly<Record<string, string>> = {
  'many elements': around(repeated(`    <x:y xmlns:x="u" a="${'a'.repeat(60)}"/>\n`)),
  'one long line': around(`<x:y xmlns:x="u" a="${'a'.repeat(1_000_000)}"/>`),
  'a million lines': around(repeated('\n')),
  'a long description': around('', `<description>${repeated('a\n')}</description>\n  `),
  'what is like a pattern': around(repeated('<x:y a="*[!a-z]?\\*urn:hnet:"/>\n')),
  'what is like the end': around(repeated('<x:memory a="<metadata"/>\n')),
};
const OURS = '<assignment xmlns="urn:hnet:1"/>';

/** Changes one bit of a file, and prints the digest of what it is now. */
const FLIP = `const fs = require('node:fs'), [, file, at] = process.argv, data = fs.readFileSync(file);
data[at] ^= 1 << (at % 8); fs.writeFileSync(file, data);
process.stdout.write(require('node:crypto').createHash('sha1').update(data).digest('hex'));`;

/** A node that dies while there is compiled code, and takes the XML otherwise. */
async function dyingNode(one: Scene, signal: string): Promise<void> {
  await one.host.sh('mkdir -p /var/cache/hnet; : >/var/cache/hnet/program-1; rm -f /run/lab/xml');
  await markNode(one, `[ ! -e /var/cache/hnet/program-1 ] || kill -${signal} $$; cat >/run/lab/xml`);
}

async function markNode({ host }: Scene, script: string): Promise<void> {
  await host.write('/run/lab/node', `#!/bin/sh\n${script}\n`);
  await host.run(['chmod', '755', '/run/lab/node']);
}

/** A node that only tells that it was started, and talks too much. */
async function markingNode({ host }: Scene, code: number): Promise<void> {
  await host.write('/run/lab/node', `#!/bin/sh\ntouch ${MARK}; cat >/dev/null; echo chatter; exit ${code}\n`);
  await host.run(['chmod', '755', '/run/lab/node']);
}

async function wasHere({ host }: Scene): Promise<boolean> {
  return (await host.attempt(['test', '-e', MARK])).code === 0;
}
