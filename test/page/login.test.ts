import { PATIENCE, until } from '../lab/wait.ts';
import { addUser, isListening, PASSWORD } from './cockpit.ts';
import { PageLab } from './lab-page.ts';

/** As Debian's package starts it. */
const PORT = 9090;
const IP = '123.45.90.116';

/** The whole way of an administrator: TLS, PAM, Cockpit's shell, sudo. All other tests open the page alone. */
describe('the page in Cockpit as Debian starts it', () => {
  const lab = new PageLab({ complaints: 'ignored' });

  it('is there after a login, and shows the host once Cockpit has administrative access', async () => {
    const { hv } = lab.stage;
    await hv.vm({ name: 'vm1', boots: false });
    await lab.stage.ok('assign', 'vm1', IP);
    await addUser(hv);
    await hv.run(['systemctl', 'start', 'cockpit.socket']);
    await until(() => isListening(hv, PORT), PATIENCE, 'cockpit.socket');
    const shell = await lab.blank();
    await shell.goto(`https://127.0.0.1:${PORT}/hnet`);
    await shell.getByLabel('User name').fill('ann');
    await shell.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await shell.getByRole('button', { name: 'Log in' }).click();
    const page = shell.frameLocator('iframe[src*="/hnet/"]');
    await shell.getByRole('button', { name: 'Limited access' }).first().click();
    await shell.getByLabel(/^Password/).fill(PASSWORD);
    await shell.getByRole('button', { name: 'Authenticate' }).click();
    await page.getByRole('row', { name: 'vm1' }).getByText(IP).waitFor();
  });
});
