import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { visible } from '../../src/model/refusal.ts';
import type { Background } from '../lab/background.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { findings } from './axe.ts';
import { PageLab } from './lab-page.ts';
import { sticksOut, wrongWith } from './looks.ts';
import { NARROW, SCREENS } from './onlooker.ts';
import { buildTown, HOSTILE } from './town.ts';

/** What everybody sees: with eyes or without, by day and by night, on a telephone, with a keyboard alone. */
describe('the views of the page', () => {
  const lab = new PageLab();
  let pings: Background;

  before(async () => {
    const web = await buildTown(lab.stage);
    await web.ready();
    pings = lab.stage.lab.internet.start(['ping', '-i', '0.05', '-s', '1000', '123.45.90.114']);
    // One of its routes is gone.
    await lab.stage.hv.run(['ip', 'route', 'del', '198.51.100.25']);
  });
  after(() => pings.stop());

  /** The views, with where each is and what it shows once it is there. */
  const VIEWS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
    overview: async page => {
      await page.getByRole('row', { name: 'mail' }).getByText('faulty').waitFor();
      // Doctor looks beside; what it finds has its cause, and the command that mends it.
      await page.getByText('1 thing may cause trouble').waitFor();
      await page.getByRole('button', { name: /alert details$/ }).click();
      await page.getByText(/^To do/).waitFor();
    },
    pools: async page => {
      await page.getByRole('gridcell', { name: '123.45.90.114, up, web' }).click();
      const panel = page.getByRole('region', { name: '123.45.90.114' });
      await panel.getByText(/assigned to web/).waitFor();
      await panel.getByText('Since').waitFor();
    },
    topology: page => page.getByRole('link', { name: /^web/ }).waitFor(),
    vm: async page => {
      await page.getByRole('heading', { name: 'mail' }).waitFor();
      await page.getByRole('row', { name: /tcp\/25,993/ }).waitFor();
    },
  };
  const placeOf = async (view: string): Promise<string> => {
    if (view === 'overview') return '#/';
    return view === 'vm' ? `#/vm/${(await lab.stage.hv.virsh('domuuid', 'mail')).trim()}` : `#/${view}`;
  };

  for (const [view, isThere] of Object.entries(VIEWS))
    it(`${view}: by day, by night and narrow, axe-core finds nothing`, async () => {
      const page = await lab.open(await placeOf(view));
      await isThere(page);
      expect(await wrongWith(page, view)).to.deep.equal([]);
    });

  it('draws the picture of this host, with what goes through it', async () => {
    const page = await lab.open('#/topology');
    const picture = page.getByRole('region', { name: 'The picture; it can be scrolled' });
    for (const [title, link] of [
      ['eth0, 123.45.90.112/29', false],
      ['br114, 172.30.114.0/24', false],
      ['web, 123.45.90.114', true],
      ['mail, 123.45.90.115', true],
    ] as const) {
      const found = link ? picture.getByRole('link', { name: title }) : picture.getByText(title);
      await found.first().waitFor({ state: 'attached' });
    }
    await picture
      .getByText(/KiB\/s/)
      .first()
      .waitFor();
    await picture.screenshot({ path: `${SCREENS}/picture-light.png` });
  });

  it('a VM: its traffic, why it is not reachable, and what the system inside must be told', async () => {
    const page = await lab.open(`#/vm/${(await lab.stage.hv.virsh('domuuid', 'web')).trim()}`);
    await page.getByRole('img', { name: /^Traffic of web/ }).waitFor();
    await page.getByRole('button', { name: 'Examine' }).click();
    // Nothing inside was told of its IPv6 address.
    await page.getByText("the VM talks on br114, and doesn't answer for the address").waitFor();
    await page.getByRole('button', { name: 'Show' }).click();
    const system = page.getByLabel('System', { exact: true });
    await system.waitFor();
    const formats = await system.locator('option').allTextContents();
    expect(formats).to.include.members(['netplan', 'networkd']);
    for (const format of formats) {
      await system.selectOption({ label: format });
      await page.locator('figure pre', { hasText: '123.45.90.114' }).first().waitFor();
    }
    await page.getByRole('button', { name: 'Copy 123.45.90.114', exact: true }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).to.equal('123.45.90.114');
    expect(await wrongWith(page, 'vm-asked')).to.deep.equal([]);
  });

  it('moves a rule before another, in its order on the host too', async () => {
    const page = await lab.open(await placeOf('vm'));
    await page.getByRole('button', { name: 'Move rule 2 up' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('hnet firewall mail move 2 1', { exact: true }).waitFor();
    await dialog.getByRole('button', { name: 'Move rule 2 up' }).click();
    await dialog.waitFor({ state: 'hidden' });
    const rules = page.getByRole('table', { name: 'Rules' }).getByRole('rowheader');
    await until(
      async () => (await rules.allTextContents())[0]?.includes('tcp/22') === true,
      PATIENCE,
      'the order',
    );
    const [mail] = (await lab.stage.json<{ domains: { rules: string[] }[] }>('status', 'mail')).domains;
    expect(mail?.rules).to.deep.equal(['allow tcp/22 from 203.0.113.0/24', 'allow tcp/25,993']);
  });

  it('dialogs: axe-core finds nothing', async () => {
    const page = await lab.open('#/pools');
    await page.getByRole('gridcell', { name: '123.45.90.116, free' }).click();
    await page.getByRole('button', { name: 'Assign', exact: true }).click();
    await page.getByLabel('VM', { exact: true }).selectOption({ label: 'spare' });
    await page.getByText('123.45.90.116 on br116').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await findings(page), colorScheme).to.deep.equal([]);
      await page.screenshot({ path: `${SCREENS}/assign-${colorScheme}.png` });
    }
  });

  it('gives a VM an address by the keyboard alone', async () => {
    const page = await lab.open('#/');
    await page.getByRole('row', { name: 'spare' }).waitFor();
    await tabTo(page, /^Addresses$/);
    await page.keyboard.press('Enter');
    await page.getByRole('gridcell', { name: '123.45.90.112, free' }).waitFor();
    await tabTo(page, /^123\.45\.90\.112, free$/);
    for (let step = 0; step < 4; step++) await page.keyboard.press('ArrowRight');
    expect(await focused(page)).to.equal('123.45.90.116, free');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing has happened to it').waitFor();
    await tabTo(page, /^Assign$/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(page, /^Choose a VM/);
    await page.keyboard.type('spare');
    await page.getByText('hnet assign spare 123.45.90.116', { exact: true }).waitFor();
    // Typing has opened the list.
    await page.keyboard.press('Enter');
    await tabTo(page, /^Assign$/);
    await page.keyboard.press('Enter');
    await page.getByRole('gridcell', { name: '123.45.90.116, assigned, VM stopped, spare' }).waitFor();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  for (const [number, [kind, name]] of Object.entries(HOSTILE).entries())
    it(`takes a name that is ${kind} for nothing but text`, async () => {
      const shown = visible(name);
      const address = `198.51.100.${77 + number}`;
      await lab.stage.hv.vm({ name, boots: false });
      const page = await lab.open('#/', { size: NARROW });
      await page
        .getByRole('row', { name: shown })
        .getByRole('button', { name: 'Give it an address' })
        .click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Address', { exact: true }).fill(address);
      await dialog.getByText(`${address} on br`).waitFor();
      expect(await dialog.textContent()).to.include(shown);
      await dialog.getByRole('button', { name: 'Assign', exact: true }).click();
      await page.getByText(/Done: hnet assign /).waitFor();
      await page.getByRole('link', { name: shown }).click();
      await page.getByRole('heading', { name: shown, exact: true }).waitFor();
      expect(await sticksOut(page)).to.equal(false);
      for (const [place, role] of [
        ['#/pools', 'gridcell'],
        ['#/topology', 'link'],
      ] as const) {
        await page.goto(page.url().replace(/#.*/, place));
        await page.getByRole(role, { name: address }).waitFor();
        expect(await sticksOut(page)).to.equal(false);
      }
      expect(await page.title()).to.equal('VM addresses');
      expect(await page.locator('img').count()).to.equal(0);
      const { uuid } = (await lab.stage.status()).find(({ domain }) => domain === name) ?? { uuid: '' };
      await lab.stage.ok('unassign', uuid, '--all');
      await lab.stage.hv.virsh('undefine', uuid);
    });
});

/** What a screen reader would say of what has the focus: its name, or its text. */
const focused = (page: Page): Promise<string> =>
  page.evaluate<string>(
    `(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').trim()`,
  );

/** Presses Tab until something of that name has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed: string[] = [];
  while (passed.length < 100) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    if (name.test(now)) return;
    passed.push(now);
  }
  throw new Error(`Cannot reach ${name} by Tab, which led to: ${passed.join(' | ')}`);
}
