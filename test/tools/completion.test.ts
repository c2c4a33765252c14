import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { execa } from 'execa';
import { type Pressed, pressTab, type SetUp } from '../support/tab.ts';
import { DIST, hnet } from './program.ts';

const FILES = { bash: 'bash/hnet', zsh: 'zsh/_hnet', fish: 'fish/hnet.fish' } as const;
const SHELLS = Object.keys(FILES) as (keyof typeof FILES)[];
const SCRIPTS = `${DIST}/completions`;
const SET_UP: SetUp = {
  bash: `source ${SCRIPTS}/bash/hnet`,
  zsh: `fpath=(${SCRIPTS}/zsh $fpath); autoload -Uz compinit; compinit -u -D`,
  fish: `source ${SCRIPTS}/fish/hnet.fish; source ${SCRIPTS}/fish/hnet-assign.fish`,
};

/** Lines, and what must be offered for each; with one offer, the line that the shell makes of it. */
const LINES: readonly (readonly [line: string, offers: readonly string[], becomes?: string])[] = [
  ['hnet as', ['assign'], 'hnet assign'],
  ['hnet ', ['assign', 'unassign', 'firewall', 'doctor', 'completion', 'help']],
  ['hnet --tr', ['--trace'], 'hnet --trace'],
  ['hnet --color ', ['auto', 'always', 'never']],
  ['hnet --color never poo', ['pool'], 'hnet --color never pool'],
  ['hnet assign --', ['--nic', '--no-nic', '--via', '--scope', '--dhcp', '--boot']],
  ['hnet assign vm1 --dhcp boot', ['bootstrap'], 'hnet assign vm1 --dhcp bootstrap'],
  ['hnet assign --dhcp=pub', ['public'], 'hnet assign --dhcp=public'],
  ['hnet-assign vm1 --sc', ['--scope'], 'hnet-assign vm1 --scope'],
  ['hnet guest vm1 --format net', ['netplan', 'networkd', 'networkmanager']],
  ['hnet guest vm1 --seed /etc/hostn', ['/etc/hostname'], 'hnet guest vm1 --seed /etc/hostname'],
  ['hnet forward ', ['add', 'delete', 'list']],
  ['hnet forward li', ['list'], 'hnet forward list'],
  ['hnet forward add vm1 tcp/80 --o', ['--on'], 'hnet forward add vm1 tcp/80 --on'],
  ['hnet help chec', ['check'], 'hnet help check'],
  ['hnet completion fi', ['fish'], 'hnet completion fish'],
];

describe('completion', () => {
  for (const shell of SHELLS) {
    describe(`in ${shell}`, () => {
      let pressed: Pressed[];
      before(async () => {
        const run = async ([program = '', ...args]: readonly string[]): Promise<string> =>
          (await execa(program, args, { env: { HOME: '/nonexistent' } })).stdout;
        pressed = await pressTab(
          run,
          shell,
          SET_UP,
          LINES.map(([line]) => line),
        );
      });

      for (const [index, [typed, offers, becomes]] of LINES.entries()) {
        it(`"${typed}" is followed by ${offers.join(', ')}`, () => {
          const { shown = '', line = '' } = pressed[index] ?? {};
          // zsh puts an equals sign behind an option that wants a value.
          if (becomes !== undefined && shell !== 'fish') expect(line.replace(/[= ]+$/, '')).to.equal(becomes);
          else for (const one of offers) expect(shown).to.match(new RegExp(`(^|[\\s=])${one}(\\s|$)`, 'm'));
        });
      }

      it('offers nothing that only other programs call', () => {
        expect(pressed[1]?.shown).not.to.match(/\b(base|announce|generate|complete)\s/);
      });

      it('is what hnet completion prints', async () => {
        const [program = '', ...args] = hnet(['completion', shell]);
        const { stdout } = await execa(program, args);
        expect(stdout).to.include(readFileSync(`${SCRIPTS}/${FILES[shell]}`, 'utf8').trimEnd());
      });
    });
  }
});
