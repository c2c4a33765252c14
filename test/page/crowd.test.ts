import { PATIENCE, until } from '../lab/wait.ts';
import { feedCrowd } from './crowd.ts';
import { type Frames, framesDuring } from './frames.ts';
import { PageLab } from './lab-page.ts';

const SIZE = 1000;

/** What it takes the browser is shown, and not judged: this machine has other work as well. */
describe('the page with a thousand domains', () => {
  const lab = new PageLab();

  before(async () => {
    const { hv } = lab.stage;
    await hv.run(['ip', 'link', 'add', 'virbr0', 'type', 'bridge']);
    const vm = await hv.vm({ name: 'vm1', boots: false });
    await lab.stage.ok('assign', 'vm1');
    await vm.start();
    await feedCrowd(hv, SIZE);
  });

  const show = (what: string, { count, median, slow, longest }: Frames): void =>
    console.log(
      `      ${what}: ${count} pictures, every ${median} ms, 5 of 100 after ${slow} ms, the slowest after ${longest} ms`,
    );

  it('is filtered, sorted and scrolled while counters come in twice a second', async () => {
    const page = await lab.open('#/');
    await page.getByRole('row', { name: 'vm0' }).first().waitFor();
    await page.getByText('1 to 50 of 1000').waitFor();
    const scrolling = async (): Promise<void> => {
      await page.mouse.move(600, 400);
      for (let turn = 0; turn < 40; turn++) await page.mouse.wheel(0, turn < 20 ? 100 : -100);
      await page.waitForTimeout(2000);
    };
    show('scrolled', await framesDuring(page, scrolling));
    const typing = async (): Promise<void> => {
      await page.getByRole('searchbox').pressSequentially('vm99', { delay: 50 });
      await page.getByRole('row', { name: 'vm990' }).waitFor();
    };
    show('filtered', await framesDuring(page, typing));
    // vm99, and vm990 to vm999.
    await page.getByRole('button', { name: 'All 11' }).waitFor();
    await page.getByRole('searchbox').fill('');
    const sorting = async (): Promise<void> => {
      await page.getByRole('button', { name: 'In', exact: true }).click();
      await page.getByText('1 to 50 of 1000').waitFor();
      await page.waitForTimeout(1000);
    };
    show('sorted', await framesDuring(page, sorting));
    // Every seventh is busiest: six, thirteen, twenty.
    const first = page.getByRole('table').getByRole('rowheader').first();
    const busiest = async () => Number((await first.textContent())?.replace('vm', '')) % 7 === 6;
    await until(busiest, PATIENCE, 'the busiest above');
    await page.getByRole('button', { name: 'Next page' }).click();
    await page.getByText('51 to 100 of 1000').waitFor();
    show(
      'turned to the picture',
      await framesDuring(page, async () => {
        await page
          .getByRole('tab', { name: 'Topology' })
          .or(page.getByRole('link', { name: 'Topology' }))
          .click();
        await page
          .getByText(/\d+ more VMs/)
          .first()
          .waitFor({ state: 'attached' });
      }),
    );
  });
});
