import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { Lab } from '../lab/lab.ts';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { PROJECT } from '../support/build.ts';
import { ensureDebs } from '../support/deb.ts';
import { pressTab } from '../support/tab.ts';

/** A line that the next one took the place of. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it ends with one
const PROGRESS = /.*\u001b\[K/;

const README = readFileSync(join(PROJECT, 'README.md'), 'utf8');
const IP = '123.45.90.116';
/** From `apt install` to a VM that answers, in seconds. */
const BUDGET = 180;
/** For a download of 300 MB; in milliseconds. */
const LIMIT = 900_000;

/** The commands under a step of "Five minutes on a real server", as they stand there; a comment is none. */
function step(title: string): string[] {
  const section = README.split(/^## /m).find(one => one.startsWith('Five minutes')) ?? '';
  const text = section.split(/^\*\*(?=\d\. )/m).find(one => one.startsWith(title)) ?? '';
  const [, block = ''] = /^```sh\n([\s\S]*?)^```$/m.exec(text) ?? [];
  return block.split('\n').flatMap(line => line.replace(/\s+#.*/, '') || []);
}

/** What the README's table says for releases with an older Node.js, and what it says at its end. */
const WITH_NODE = /^\| Debian 12,.*?`(sudo apt install [^`]+)`/m.exec(README)?.[1] ?? '';
const REMOVE = /`(sudo apt remove hnet)`/.exec(README)?.[1] ?? '';
const KEEP = /`(sudo apt-mark [^`]+)`/.exec(README)?.[1] ?? '';

for (const release of [13, 12] as const)
  describe(`the README on a fresh Debian ${release}`, () => {
    const [install = '', ...setUp] = step('3. Install');
    let lab: Lab;
    let hv: Hypervisor;
    let vm: Vm;
    let begun: number;
    let routesBefore: string;

    before(async () => {
      const debs = await ensureDebs();
      lab = await Lab.create();
      hv = await lab.hypervisor('h1', { release, stock: true });
      await lab.openArchive(hv);
      // Nobody types there. Its end would be a key that is pressed.
      await hv.run(['mkfifo', '/root/keyboard']);
      // The person there says yes to apt. zsh is what presses TAB in bash.
      await hv.write('/etc/apt/apt.conf.d/81yes', 'APT::Get::Assume-Yes "true";\n');
      await type('apt-get update');
      await type('apt-get install --no-install-recommends sudo man-db bash-completion zsh');
      for (const deb of [debs.hnet, debs.node]) await cp(deb, `${hv.root}/root/${basename(deb)}`);
      await cp(join(PROJECT, 'test/support/press-tab.zsh'), `${hv.root}/root/press-tab.zsh`);
      routesBefore = await hv.run(['ip', 'route']);
    });
    after(() => lab?.remove());

    it('installs the package, of which one line tells what comes next', async () => {
      begun = performance.now();
      const said = await type(release === 12 ? WITH_NODE : install);
      // All between its own "Setting up" and that of the next package.
      const [, own] =
        /^Setting up hnet \(.*\n([\s\S]*?)^(?:Setting|Processing|Created)/m.exec(`${said}\nSetting`) ?? [];
      expect(own).to.equal('hnet: now: sudo hnet init --pool YOUR-ADDRESSES\n');
      await hv.adoptLibvirt();
    });

    it('sets it up', async () => {
      expect(await typeAll(setUp)).to.deep.equal([
        'wrote /etc/hnet/hnet.toml',
        'This host is fit',
        'done; now: hnet assign DOMAIN [ADDRESS]',
        'POOL FREE ASSIGNED UP RESERVED',
        '123.45.90.112/29 8 of 8 0 0 0',
        '123.45.53.11 1 of 1 0 0 0',
      ]);
    });

    it('gives a VM its address, by which it answers in less than three minutes from the package', async () => {
      // Any VM of anybody's.
      vm = await hv.vm({ name: 'vm1', nic: { type: 'network', source: 'default' } });
      expect(await typeAll(step('4. Assign'))).to.deep.equal([
        'vm1: 123.45.90.116 on br116, bootstrap scope 172.30.116.0/24',
        "Domain 'vm1' started",
        'DOMAIN STATE ADDRESS BRIDGE LEASE POLICY HEALTH',
        'vm1 running 123.45.90.116 br116 - open ok',
      ]);
      await until(() => lab.internet.ping(IP), PATIENCE, 'an answer of the VM');
      const seconds = Math.round((performance.now() - begun) / 1000);
      console.log(
        `      ${seconds} s from apt install to the first answer, at a load of ${loadavg()[0]?.toFixed(1)}`,
      );
      expect(seconds).to.be.below(BUDGET);
    });

    it('has told the truth, and can be looked at', async () => {
      expect(await typeAll(['sudo hnet doctor', 'sudo hnet check'])).to.deep.equal([
        'This host is fit',
        'Everything is as it should be',
      ]);
      const history = await typeAll([`sudo hnet history ${IP}`]);
      expect(history.map(line => line.replace(/^\S+ \S+Z/, 'THEN'))).to.deep.equal([
        'TIME WHAT ADDRESS DOMAIN',
        `THEN assign ${IP} vm1`,
        `THEN start ${IP} vm1`,
      ]);
      expect(await type('man hnet')).to.include('hnet - public addresses for virtual machines of libvirt');
      expect(await hv.run(['systemctl', 'list-units', '--failed', '--quiet', '--plain'])).to.equal('');
    });

    it('is completed by TAB, as any shell of an administrator is set up', async () => {
      const SET_UP = { bash: '. /usr/share/bash-completion/bash_completion', zsh: '', fish: '' };
      const lines = ['hnet as', 'hnet doctor v'];
      const run = (argv: readonly string[]) => hv.run(argv);
      const pressed = await pressTab(run, 'bash', SET_UP, lines, '/root/press-tab.zsh');
      expect(pressed.map(({ line }) => line.trim())).to.deep.equal(['hnet assign', 'hnet doctor vm1']);
    });

    it('is removed, says nothing, and leaves the network as it was', async () => {
      await vm.destroy();
      const said = await type(REMOVE);
      expect(said.match(/^hnet: .*/gm)).to.equal(null);
      expect(await hv.run(['ip', 'route'])).to.equal(routesBefore);
      expect(await hv.run(['nft', 'list', 'tables'])).not.to.include('hnet');
      expect(await hv.run(['ls', '-A', '/etc/libvirt/hooks'])).to.equal('');
    });

    it('keeps libvirt and QEMU from apt autoremove as the README says', async () => {
      const goes = async () =>
        (await type('apt-get --simulate autoremove')).match(/^Remv \S+/gm)?.join(' ') ?? '';
      expect(await goes())
        .to.include('Remv libvirt-daemon-system ')
        .and.include('Remv qemu-system-x86 ');
      await type(KEEP);
      expect(await goes()).not.to.match(/Remv (libvirt-daemon-system|libvirt-clients|qemu-system-x86)\b/);
    });

    /** Types a command at a terminal, in the directory where the packages lie; it must succeed. @returns what is shown */
    async function type(command: string): Promise<string> {
      const argv = [
        'sh',
        '-c',
        'cd; MANPAGER=cat exec script -qefc "$0" /dev/null <>/root/keyboard',
        command,
      ];
      const said = await hv.run(argv, { limit: LIMIT, env: { TERM: 'dumb', COLUMNS: '120' } });
      return said.replaceAll('\r', '');
    }

    /** @returns the lines that they show, without the room between columns, and without what only tells of progress */
    async function typeAll(commands: readonly string[]): Promise<string[]> {
      expect(commands).not.to.equal([]);
      const said: string[] = [];
      for (const command of commands) said.push(...(await type(command)).split('\n'));
      return said.map(line => line.replace(PROGRESS, '').replace(/\s+/g, ' ').trim()).filter(Boolean);
    }
  });
