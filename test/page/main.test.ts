import { expect } from 'chai';
import { PageLab } from './lab-page.ts';

const IP = '123.45.90.116';

for (const release of [undefined, 13] as const)
  describe(`the page in Cockpit of Debian ${release ?? 'of this machine'}`, () => {
    const lab = new PageLab(release === undefined ? {} : { release });

    it('shows the domains and their addresses', async () => {
      await lab.stage.hv.vm({ name: 'vm1', boots: false });
      await lab.stage.ok('assign', 'vm1', IP);
      const page = await lab.open();
      const row = page.getByRole('row', { name: 'vm1' });
      await row.waitFor();
      expect(await row.textContent()).to.include(IP);
    });
  });
