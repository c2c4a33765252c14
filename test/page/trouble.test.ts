import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { ANN, addUser, startCockpit } from './cockpit.ts';
import { PageLab } from './lab-page.ts';
import { wrongWith } from './looks.ts';
import { CLUSTER, toldBy } from './recorded.ts';

const [IP, OTHER, FREE] = ['123.45.90.116', '123.45.90.117', '123.45.90.118'];
const HNET = '/usr/bin/hnet';

/** What goes wrong is a sentence on the page, and what one had is still there. */
describe('trouble on the page', () => {
  const lab = new PageLab();

  before(async () => {
    for (const name of ['vm1', 'vm2']) await lab.stage.hv.vm({ name, boots: false });
    await lab.stage.ok('assign', 'vm1', IP);
  });

  const row = (page: Page, name = 'vm1') => page.getByRole('row', { name }).getByText(IP);
  /** Ends all that runs `hnet monitor`. */
  const killMonitors = (): Promise<string> =>
    lab.stage.hv.sh(`for one in /proc/[0-9]*; do
      if tr '\\0' ' ' <$one/cmdline | grep -q '^[^ ]*node .*monitor'; then kill -9 "\${one#/proc/}"; fi
    done 2>/dev/null`);

  it('says that hnet is missing, and goes on once it is there', async () => {
    const { hv } = lab.stage;
    await hv.run(['mv', HNET, `${HNET}.away`]);
    const page = await lab.open('#/');
    await page.getByText('hnet is not installed').waitFor();
    expect(await wrongWith(page, 'missing')).to.deep.equal([]);
    await hv.run(['mv', `${HNET}.away`, HNET]);
    await page.getByRole('button', { name: 'Try again' }).click();
    await row(page).waitFor();
  });

  it('says that libvirtd is down, shows what it saw before, and goes on', async () => {
    const { hv } = lab.stage;
    const page = await lab.open('#/');
    await row(page).waitFor();
    await hv.sh('systemctl stop libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket');
    await page.getByText('What you see may be out of date').waitFor();
    await page.getByText(/^Cannot connect to libvirt/).waitFor();
    await row(page).waitFor();
    expect(await wrongWith(page, 'stale')).to.deep.equal([]);
    await hv.run(['systemctl', 'start', 'libvirtd.socket', 'libvirtd.service']);
    await page.getByText('What you see may be out of date').waitFor({ state: 'hidden' });
  });

  it('starts a monitor that has died again, and keeps what one types meanwhile', async () => {
    const page = await lab.open('#/pools');
    await page.getByRole('gridcell', { name: `${OTHER}, free` }).click();
    await page.getByRole('button', { name: 'Reserve', exact: true }).click();
    const name = page.getByRole('dialog').getByLabel('For the VM of this name');
    await name.fill('somebody');
    await killMonitors();
    await page.getByText(/hnet monitor has ended/).waitFor({ state: 'attached' });
    await page.getByText(/hnet monitor has ended/).waitFor({ state: 'detached' });
    expect(await name.inputValue()).to.equal('somebody');
  });

  it("says why a command failed in hnet's own words, and keeps what was chosen", async () => {
    const page = await lab.open('#/pools');
    await page.getByRole('gridcell', { name: `${OTHER}, free` }).click();
    await page.getByRole('button', { name: 'Assign', exact: true }).click();
    const dialog = page.getByRole('dialog');
    const vm = dialog.getByLabel('VM', { exact: true });
    await vm.selectOption({ label: 'vm2' });
    await lab.stage.hv.sh('cp /etc/hnet/hnet.toml /root/; echo "mtu = 1" >>/etc/hnet/hnet.toml');
    await dialog.getByRole('button', { name: 'Assign', exact: true }).click();
    await dialog.getByText('That did not work').waitFor();
    await dialog
      .getByText(/^Cannot use \/etc\/hnet\/hnet\.toml/)
      .first()
      .waitFor();
    await lab.stage.hv.sh('cp /root/hnet.toml /etc/hnet/hnet.toml');
    expect(await vm.locator('option:checked').textContent()).to.equal('vm2');
    await dialog.getByRole('button', { name: 'Assign', exact: true }).click();
    await page.getByRole('gridcell', { name: `${OTHER}, assigned, VM stopped, vm2` }).waitFor();
  });

  it('shows two people what each of them does, and tells the later one', async () => {
    const [one, other] = [await lab.open('#/pools'), await lab.open('#/pools')];
    for (const page of [one, other]) {
      await page.getByRole('gridcell', { name: `${FREE}, free` }).click();
      await page.getByRole('button', { name: 'Assign', exact: true }).click();
    }
    await one
      .getByRole('dialog')
      .getByLabel('VM', { exact: true })
      .selectOption({ label: `vm1 (${IP})` });
    await other
      .getByRole('dialog')
      .getByLabel('VM', { exact: true })
      .selectOption({ label: `vm2 (${OTHER})` });
    await one.getByRole('dialog').getByRole('button', { name: 'Assign', exact: true }).click();
    await one.getByRole('gridcell', { name: `${FREE}, assigned, VM stopped, vm1` }).waitFor();
    const dialog = other.getByRole('dialog');
    // Before anything is pressed, the preview says it.
    await dialog
      .getByText(/123\.45\.90\.118.*vm1/)
      .first()
      .waitFor();
    await dialog.getByRole('button', { name: 'Assign', exact: true }).click();
    await dialog.getByText('That did not work').waitFor();
    expect(await lab.stage.ok('ip', 'vm1')).to.equal(`${IP}\n${FREE}`);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await other.getByRole('gridcell', { name: `${FREE}, assigned, VM stopped, vm1` }).waitFor();
  });

  it('shows a host of a cluster, to which a VM is on its way', () =>
    toldBy(lab.stage.hv, CLUSTER, async () => {
      const page = await lab.open('#/');
      const web = page.getByRole('row', { name: 'web' });
      await web.getByText('incoming', { exact: true }).waitFor();
      await web.getByText('h1, leaving for h2', { exact: true }).waitFor();
      await page.getByRole('row', { name: 'mail' }).getByText('stopped there', { exact: true }).waitFor();
      const wrong = await wrongWith(page, 'told-overview');
      await page.getByRole('link', { name: 'Topology' }).click();
      await page.getByText('h3, 10.9.0.3, fd00:9::3, ok').waitFor({ state: 'attached' });
      wrong.push(...(await wrongWith(page, 'told-topology')));
      await page.getByRole('link', { name: 'Addresses' }).click();
      await page.getByRole('gridcell', { name: '123.45.90.114, between two hosts, web' }).waitFor();
      await page.getByRole('gridcell', { name: '123.45.90.117, on another host, mail' }).click();
      const panel = page.getByRole('region', { name: '123.45.90.117' });
      await panel.getByText('h3', { exact: true }).waitFor();
      expect(await panel.getByRole('button', { name: 'Unassign' }).count()).to.equal(0);
      expect(wrong).to.deep.equal([]);
    }));

  it('shows what it can without administrative access, says so, and offers the way up', async () => {
    await addUser(lab.stage.hv);
    await startCockpit(lab.stage.hv, ANN);
    const page = await lab.open('#/', { session: ANN });
    await page.getByText(/^hnet shows its state to administrators only/).waitFor();
    await page.getByText(IP).waitFor();
    await page.getByText('123.45.90.119').waitFor();
    await page.getByRole('button', { name: 'Turn on administrative access' }).waitFor();
    expect(await wrongWith(page, 'limited')).to.deep.equal([]);
  });
});
