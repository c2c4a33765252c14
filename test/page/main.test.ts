import { expect } from 'chai';
import { PageLab, type PageOptions } from './lab-page.ts';
import { installPackages, purgePackages } from './packaged.ts';

const IP = '123.45.90.116';
/** What was on the machine before the packages. */
let origin: readonly string[] = [];
const RELEASES: Readonly<Record<string, PageOptions>> = {
  'this machine, by install.sh': {},
  'Debian 13, by the packages': {
    release: 13,
    install: async stage => {
      origin = await installPackages(stage);
    },
  },
};

for (const [where, options] of Object.entries(RELEASES))
  describe(`the page on ${where}`, () => {
    const lab = new PageLab(options);

    it('shows the domains and their addresses', async () => {
      await lab.stage.hv.vm({ name: 'vm1', boots: false });
      await lab.stage.ok('assign', 'vm1', IP);
      const page = await lab.open();
      const row = page.getByRole('row', { name: 'vm1' });
      await row.waitFor();
      expect(await row.textContent()).to.include(IP);
    });

    if (options.install !== undefined)
      it('goes with the packages, and leaves nothing', async () => {
        await lab.stage.hv.virsh('undefine', 'vm1');
        expect(await purgePackages(lab.stage, origin)).to.deep.equal([]);
      });
  });
