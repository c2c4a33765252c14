import { expect } from 'chai';
import { hnet } from '../support/command.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { CONFIG, REAL, type Scene } from '../support/scene.ts';
import { kernelSuite } from '../support/suite.ts';

/** Every program that hnet runs; of the first, `doctor` says that they are needed. */
const NEEDED = ['ip', 'ss', 'dnsmasq', 'conntrack', 'flock', 'ipset', 'iptables-save', 'iptables-restore'];
const TOOLS = [...NEEDED, 'nft', 'virsh', 'ping', 'logger', 'systemctl', 'iptables'];

/** By hand everything is tried, HNET_TOOLS=all, and by each run what found most. */
const ALL = process.env['HNET_TOOLS'] === 'all';

/** What may stand in a tool's place. */
const BROKEN: Readonly<Record<string, string>> = {
  'is missing': '',
  'prints garbage': `printf '{ "nftables": [ {"chain": {"family"\\n<domain>\\n*filter\\n-A \\200\\n'`,
  ...(ALL && { fails: 'echo "no such luck" >&2; exit 3', 'prints nothing': 'exit 0' }),
};

/** What an operator may type, for a domain that runs and for one that nobody knows. */
const COMMANDS: readonly (readonly string[])[] = [
  ['status'],
  ['status', 'nobody'],
  ['plan', 'vm1'],
  ['pool'],
  ['firewall', 'vm1'],
  ['firewall', 'vm1', 'allow', 'tcp/22'],
  ['firewall', 'nobody', 'allow', 'tcp/22'],
  ['traffic'],
  ['traffic', 'nobody'],
  ['check'],
  ['check', 'nobody'],
  ['sync', '--dry-run'],
  ['sync'],
  ['doctor'],
  ['doctor', 'vm1'],
  ['guest', 'vm1', '--format', 'netplan'],
  ['guest', 'vm1', '--seed', '/run/lab/seed.iso'],
  ['host', '--format', 'ifupdown'],
  ['host', '--check'],
  ['hosts'],
  ['assign', 'vm1', '123.45.53.12'],
  ['assign', 'nobody'],
  ['unassign', 'vm1', '--all'],
  ['move', '123.45.90.116', 'vm1', 'nobody'],
  ['base', 'up'],
];
/** Those that use the most of them are run without each. */
const OFTEN = ALL ? COMMANDS : [['sync'], ['doctor'], ['doctor', 'vm1']];

kernelSuite('hnet where a tool', (scene, share) => {
  const whole = share(async scene => running(await scene()));

  for (const [what, script] of Object.entries(BROKEN)) {
    it(`${what}: every command says so in one line, or does without`, async () => {
      const one = await whole();
      for (const tool of TOOLS) {
        await put(one, [tool], script);
        for (const argv of OFTEN) await inOneLine(one, argv, `${tool} ${what}`);
        await show(one, [tool]);
      }
    });

    it(`${what}, and all others with it: the same`, async () => {
      const one = await whole();
      await put(one, TOOLS, script);
      for (const argv of COMMANDS) await inOneLine(one, argv, `all of it ${what}`);
      await show(one, TOOLS);
    });
  }

  it('is missing: doctor names it', async () => {
    const one = await whole();
    await put(one, NEEDED, '');
    const { stdout } = await hnet(one, 'doctor');
    for (const tool of NEEDED) expect(stdout).to.contain(`${tool} is missing\n`);
    await show(one, NEEDED);
  });

  it('gives no answer about packets: doctor finds that nobody knows what becomes of them', async () => {
    const one = await whole();
    const { stdout: usual } = await hnet(one, 'doctor');
    expect(usual).not.to.contain('could not be asked');
    await one.replace(
      '/usr/bin/ip',
      `case "$*" in
        *-batch*) asked=$(cat); case "$asked" in *' iif '*) exit 3 ;; esac; printf '%s\\n' "$asked" | ${REAL}/ip "$@" ;;
        *) exec ${REAL}/ip "$@" ;;
      esac`,
    );
    const { code, stdout } = await hnet(one, 'doctor');
    await one.restore('/usr/bin/ip');
    expect(code).to.equal(3);
    expect(stdout).to.match(/^what the kernel would do with packets could not be asked: /m);
  });

  it('is missing that only the other filter needs, is uninstalled and leaves nothing', async () => {
    const one = await scene({ config: `${CONFIG}[firewall]\nbackend = "nftables"\n` });
    for (const place of PLACES.split(' ')) await one.overlay(place);
    await put(one, ['ipset'], '');
    const state = () => one.host.sh('ip route; nft list ruleset');
    const before = await state();
    await one.base();
    expect(await state()).to.include('table ip hnet');
    await one.baseDown();
    expect(await state()).to.equal(before);
  });

  it('is missing without which a filter that stands cannot be read: that is said, and the rest is removed', async () => {
    const one = await scene({ config: `${CONFIG}[firewall]\nbackend = "iptables"\n` });
    for (const place of PLACES.split(' ')) await one.overlay(place);
    await one.base();
    await put(one, ['ipset'], '');
    const { code, stderr } = await hnet(one, 'base', 'down');
    expect(code).to.equal(1);
    expect(stderr).to.equal('hnet: Cannot run "ipset save": the program is not installed');
    expect(await one.host.run(['ip', 'route', 'show', 'type', 'blackhole'])).to.equal('');
  });

  it('was broken once, loses nothing by all that', async () => {
    const one = await whole();
    await hnet(one, 'sync');
    expect(await hnet(one, 'check')).to.include({ code: 0, stdout: 'Everything is as it should be' });
  });
});

async function inOneLine(one: Scene, argv: readonly string[], broken: string): Promise<void> {
  const { code, stdout, stderr } = await hnet(one, ...argv);
  const what = `hnet ${argv.join(' ')}, ${broken}: ${stderr}`;
  expect(code, what).to.be.oneOf([0, 1, 3]);
  expect(`${stdout}\n${stderr}`, what).not.to.match(/^ +at |node:internal/m);
  for (const line of stderr.split('\n').filter(Boolean)) expect(line, what).to.match(/^hnet: /);
  // A failure is told.
  if (code === 1) expect(`${stdout}${stderr}`, what).not.to.equal('');
}

const PLACES = '/usr/sbin /usr/bin';

/** Puts a script in the place of tools; an empty one: nothing. */
async function put({ host }: Scene, tools: readonly string[], script: string): Promise<void> {
  await host.write('/run/lab/broken', `#!/bin/sh\n${script}\n`);
  await host.sh(`for place in ${PLACES}; do for tool in ${tools.join(' ')}; do
    if [ -e $place/$tool ]; then
      mv $place/$tool $place/$tool.hidden
      ${script === '' ? '' : 'cp /run/lab/broken $place/$tool; chmod 755 $place/$tool'}
    fi
  done; done`);
}

async function show({ host }: Scene, tools: readonly string[]): Promise<void> {
  await host.sh(`for place in ${PLACES}; do for tool in ${tools.join(' ')}; do
    [ ! -e $place/$tool.hidden ] || mv $place/$tool.hidden $place/$tool; done; done`);
}

async function running(one: Scene): Promise<Scene> {
  await one.configure(`${CONFIG}[firewall]\nbackend = "iptables"\n`);
  const libvirt = await FakeLibvirt.create(one);
  for (const place of PLACES.split(' ')) await one.overlay(place);
  await one.base();
  await one.prepare('vm1', ['123.45.90.116']);
  await libvirt.run('vm1', { addresses: ['123.45.90.116'] });
  return one;
}
