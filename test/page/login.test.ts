import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { addUser, isListening, PASSWORD } from './cockpit.ts';
import { PageLab } from './lab-page.ts';
import { SCREENS } from './onlooker.ts';

/** As Debian's package starts it. */
const PORT = 9090;
const IP = '123.45.90.116';
const MACHINES = '/usr/share/cockpit/machines';

/** The whole way of an administrator: TLS, PAM, Cockpit's shell, sudo. All other tests open the page alone. */
describe('the page in Cockpit as Debian starts it', () => {
  const lab = new PageLab({ complaints: 'ignored' });

  before(async () => {
    const { hv } = lab.stage;
    await hv.vm({ name: 'vm1', boots: false });
    await lab.stage.ok('assign', 'vm1', IP);
    await addUser(hv);
    // What Cockpit's own page of virtual machines would be.
    await hv.write(`${MACHINES}/manifest.json`, '{"menu": {"index": {"label": "Virtual machines"}}}');
    await hv.write(`${MACHINES}/index.html`, '<!DOCTYPE html><title>Virtual machines</title>');
    await hv.run(['systemctl', 'start', 'cockpit.socket']);
    await until(() => isListening(hv, PORT), PATIENCE, 'cockpit.socket');
  });

  it('asks for administrative access itself, shows the host once it is there, and leads into the machines page', async () => {
    const shell = await lab.onlooker.blank();
    await shell.goto(`https://127.0.0.1:${PORT}/hnet`);
    await shell.getByLabel('User name').fill('ann');
    await shell.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await shell.getByRole('button', { name: 'Log in' }).click();
    const page = shell.frameLocator('iframe[src*="/hnet/"]');
    await page.getByRole('button', { name: 'Turn on administrative access' }).click();
    const dialog = page.getByRole('dialog', { name: 'Turn on administrative access' });
    const answer = async (password: string): Promise<void> => {
      await dialog.getByLabel(/password/i).fill(password);
      await dialog.getByRole('button', { name: 'Authenticate' }).click();
    };
    await answer('wrong');
    await dialog.getByText(/try again/i).waitFor();
    await shell.screenshot({ path: `${SCREENS}/way-up.png` });
    await answer(PASSWORD);
    await page.getByRole('row', { name: 'vm1' }).getByText(IP).waitFor();
    await shell.getByRole('button', { name: 'Administrative access' }).first().waitFor();
    await shell.screenshot({ path: `${SCREENS}/shell.png` });
    await page.getByRole('link', { name: 'vm1' }).click();
    await page.getByRole('button', { name: 'Open in Virtual machines' }).click();
    await shell.waitForURL(/\/machines#/);
    expect(new URL(shell.url()).hash).to.equal('#vm?name=vm1&connection=system');
  });
});
