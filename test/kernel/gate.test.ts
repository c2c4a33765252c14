import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Outcome } from '../lab/run.ts';
import { HOOK, PROGRAM, PROJECT } from '../support/build.ts';
import { type DomainOptions, domainXml } from '../support/domain.ts';
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
      '#!/bin/sh\nshift; printf "%s|" "$@" >/run/lab/words; { cat; cat <&3; } >/run/lab/xml\n',
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

  it('says so in one line where node is missing, but lets a running VM live', async () => {
    const one = await installed('/run/lab/no-such-node');
    for (const operation of ['release', 'reconnect']) {
      expect((await call(one, operation, ASSIGNED)).code, operation).to.equal(0);
    }
    const { code, stdout, stderr } = await call(one, 'prepare', ASSIGNED);
    expect(code).not.to.equal(0);
    expect(stdout).to.equal('');
    expect(stderr.split('\n').at(-1)).to.match(
      /^hnet: Cannot start the domain: \S+ doesn't run; run hnet's install\.sh/,
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

  /** The gate and the program where install.sh puts them. */
  async function installed(node: string): Promise<Scene> {
    const one = await scene();
    await one.overlay('/usr/lib');
    await one.host.run(['install', '-D', '-m644', '-t', '/usr/lib/hnet', HOOK, PROGRAM]);
    await one.host.write(
      GATE,
      readFileSync(join(PROJECT, 'hooks/qemu.sh'), 'utf8').replaceAll('@NODE@', node),
    );
    await one.host.run(['chmod', '755', GATE]);
    return one;
  }
});

function call(one: Scene, operation: string, options: DomainOptions, name = 'vm1'): Promise<Outcome> {
  return one.host.attempt([GATE, name, operation, 'begin', '-'], { input: domainXml(name, options) });
}

/** A node that only tells that it was started, and talks too much. */
async function markingNode({ host }: Scene, code: number): Promise<void> {
  await host.write('/run/lab/node', `#!/bin/sh\ntouch ${MARK}; cat >/dev/null; echo chatter; exit ${code}\n`);
  await host.run(['chmod', '755', '/run/lab/node']);
}

async function wasHere({ host }: Scene): Promise<boolean> {
  return (await host.attempt(['test', '-e', MARK])).code === 0;
}
