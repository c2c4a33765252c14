import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { PageLab, type PageOptions } from './lab-page.ts';
import { wrongWith } from './looks.ts';
import { installPackages, purgePackages } from './packaged.ts';

const IP = '123.45.90.116';
const LOCK = '/run/hnet/claims.lock';
/** What was on the machine before the packages. */
let origin: readonly string[] = [];
const MACHINES: Readonly<Record<string, PageOptions>> = {
  'this machine, by install.sh': {},
  'Debian 13, by the packages': {
    release: 13,
    install: async stage => {
      origin = await installPackages(stage);
    },
  },
};

for (const [where, options] of Object.entries(MACHINES))
  describe(`the page on ${where}`, () => {
    const lab = new PageLab(options);
    let web: Vm;

    before(async () => {
      const { hv } = lab.stage;
      await hv.sh('ip link add virbr0 type bridge; ip link set virbr0 up');
      web = await hv.vm({ name: 'web', append: `addr=${IP} gw=${hv.address}` });
      const spare = await hv.vm({ name: 'spare', boots: false });
      await web.start();
      await spare.start();
      await web.ready();
    });

    const answers = (): Promise<boolean> => lab.stage.lab.internet.ping(IP);
    const isOk = async (): Promise<unknown> =>
      expect(await lab.stage.ok('check')).to.equal('Everything is as it should be');
    const cell = (page: Page, is: string) =>
      page.getByRole('gridcell', { name: `${IP}, ${is}`, exact: true });
    const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
    /** Presses what a dialog ends with, and waits until it is gone. */
    const submit = async (page: Page, name: string): Promise<void> => {
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name, exact: true }).click();
      await dialog.waitFor({ state: 'hidden' });
    };

    it('gives a running VM an address by clicks, and the VM answers the Internet', async () => {
      expect(await answers()).to.equal(false);
      const page = await lab.open('#/pools');
      await page.getByText('8 of 8 free').waitFor();
      await cell(page, 'free').click();
      await button(page, 'Assign').click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('VM', { exact: true }).selectOption({ label: 'web' });
      await dialog.getByText(`hnet assign web ${IP}`, { exact: true }).waitFor();
      await dialog.getByText(new RegExp(`${IP} on br116`)).waitFor();
      await submit(page, 'Assign');
      await page.getByText(`Done: hnet assign web ${IP}`).waitFor();
      await cell(page, 'up, web').waitFor();
      await page.getByText('7 of 8 free').waitFor();
      await until(answers, PATIENCE, 'an answer of the VM');
      await isOk();
    });

    it('shows a route that somebody has deleted, and Repair brings it back', async () => {
      const page = await lab.open('#/');
      await page.getByRole('row', { name: 'web' }).getByText('ok', { exact: true }).waitFor();
      await lab.stage.hv.run(['ip', 'route', 'del', IP]);
      const begun = performance.now();
      await page.getByText("1 thing isn't as it should be").waitFor();
      console.log(`      it shows after ${Math.round(performance.now() - begun)} ms`);
      const row = page.getByRole('row', { name: 'web' });
      expect(await row.textContent()).to.match(/faulty.*route 123\.45\.90\.116 .*missing/);
      expect(await answers()).to.equal(false);
      await button(page, 'Repair').click();
      await page.getByText('Repaired').waitFor();
      await page.getByText("1 thing isn't as it should be").waitFor({ state: 'hidden' });
      await row.getByText('ok', { exact: true }).waitFor();
      await until(answers, PATIENCE, 'an answer of the VM');
      await isOk();
    });

    it('adds a rule, which blocks and counts, and deletes it, which opens', async () => {
      const page = await lab.open('#/');
      await page.getByRole('link', { name: 'web' }).click();
      await button(page, 'Add a rule').click();
      const words = page.getByRole('dialog').getByLabel('Rule', { exact: true });
      await words.fill('deny icpm');
      await page.getByRole('dialog').getByText(/icpm/).last().waitFor();
      expect(
        await page.getByRole('dialog').getByRole('button', { name: 'Add a rule' }).isDisabled(),
      ).to.equal(true);
      await words.fill('deny icmp');
      await page.getByRole('dialog').getByText('hnet firewall web deny icmp', { exact: true }).waitFor();
      await submit(page, 'Add a rule');
      const rule = page.getByRole('row', { name: /deny icmp/ });
      await rule.waitFor();
      expect(await answers()).to.equal(false);
      await rule
        .getByRole('cell', { name: /^[1-9]\d*$/ })
        .nth(1)
        .waitFor();
      await button(page, 'Delete rule 1').click();
      await submit(page, 'Delete rule 1');
      await rule.waitFor({ state: 'hidden' });
      expect(await answers()).to.equal(true);
      await isOk();
    });

    it('moves an address to another VM', async () => {
      const page = await lab.open('#/pools');
      await cell(page, 'up, web').click();
      await button(page, 'Move').click();
      await page.getByRole('dialog').getByLabel('To which VM').selectOption({ label: 'spare' });
      await submit(page, 'Move');
      await cell(page, 'up, spare').waitFor();
      expect(await lab.stage.ok('ip', 'spare')).to.equal(IP);
      expect(await answers()).to.equal(false);
      await isOk();
    });

    it('takes the last address from a VM', async () => {
      const page = await lab.open('#/pools');
      await cell(page, 'up, spare').click();
      await button(page, 'Unassign').click();
      await submit(page, 'Unassign');
      await cell(page, 'free').waitFor();
      expect(await lab.stage.ok('status')).to.match(/^No domain has an address/);
    });

    if (options.install === undefined)
      it('sets up a host that has no hnet.toml yet, and shows what it has found', async () => {
        const { hv } = lab.stage;
        await hv.sh('systemctl stop hnet-base; rm /etc/hnet/hnet.toml');
        const page = await lab.open('#/');
        const pools = page.getByLabel('Addresses and subnets of this host’s VMs');
        await pools.fill('123.45.90.112/29 8.8.8');
        await page
          .getByText(/8\.8\.8/)
          .last()
          .waitFor();
        await pools.fill('123.45.90.112/29 123.45.53.11');
        await button(page, 'Look at this host').click();
        await page.getByText('IPv4 routed to this host').waitFor();
        await page.getByText('hnet init --yes --pool 123.45.90.112/29 --pool 123.45.53.11').waitFor();
        expect((await hv.attempt(['test', '-e', '/etc/hnet/hnet.toml'])).code).to.equal(1);
        expect(await wrongWith(page, 'first-run')).to.deep.equal([]);
        // hnet.toml is written, and then the base can't be brought up: the form stays, and says so.
        await hv.sh(`rm -f ${LOCK}; mkdir ${LOCK}`);
        await button(page, 'Set up').click();
        await page.getByText(/Cannot bring up the filter: .*claims\.lock/).waitFor();
        await page.getByText(/^\/etc\/hnet\/hnet\.toml is written/).waitFor();
        expect(await wrongWith(page, 'first-run-failed')).to.deep.equal([]);
        await hv.run(['rmdir', LOCK]);
        await button(page, 'Set up').click();
        await page.getByRole('row', { name: 'web' }).waitFor();
        expect(await hv.read('/etc/hnet/hnet.toml')).to.match(
          /^pools = \["123\.45\.90\.112\/29", "123\.45\.53\.11"\]$/m,
        );
        await isOk();
      });

    if (options.install !== undefined)
      it('goes with the packages, and leaves nothing', async () => {
        expect(await purgePackages(lab.stage, origin)).to.deep.equal([]);
      });
  });
