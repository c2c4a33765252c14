import { writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { ADMINISTRATOR, startCockpit } from '../page/cockpit.ts';
import { wrongWith } from '../page/looks.ts';
import { Onlooker, SCREENS } from '../page/onlooker.ts';
import { ClusterStage } from './stage.ts';
import { NIC } from './travel.ts';

const [WEB, SHOP, MAIL] = ['123.45.90.114', '123.45.90.115', '123.45.90.117'];

/**
 * What the page shows of a cluster, while a VM moves. What hnet monitor tells meanwhile is kept beside the pictures:
 * test/page/recorded/cluster.jsonl is such a file, for the gate has no time for a cluster.
 */
describe('the page on the hosts of a cluster', () => {
  const stage = new ClusterStage({ hosts: 3, etcds: 1 });
  const onlookers = new Map<Hypervisor, Onlooker>();

  before(async () => {
    const { cluster } = stage;
    for (const host of cluster.hosts) await host.unit('hnet-watch').start();
    for (const host of [stage.host(1), stage.host(2)]) {
      await startCockpit(host, ADMINISTRATOR);
      onlookers.set(host, await Onlooker.at(host));
    }
    const shop = await cluster.vm(stage.host(2), { name: 'shop', nic: NIC, boots: false });
    await stage.ok(stage.host(2), 'assign', 'shop', SHOP);
    await shop.start();
    await cluster.vm(stage.host(3), { name: 'mail', nic: NIC, boots: false });
    await stage.ok(stage.host(3), 'assign', 'mail', MAIL);
  });
  after(async () => {
    for (const one of onlookers.values()) await one.close();
  });

  const open = async (host: Hypervisor, place: string): Promise<Page> => {
    const onlooker = onlookers.get(host);
    if (onlooker === undefined) throw new Error(`Cannot open the page on ${host.name}`);
    return onlooker.open(place);
  };
  const row = (page: Page, name: string, text: string) =>
    page.getByRole('row', { name }).getByText(text, { exact: true });

  it('says of a VM that moves where it comes from, and then where it is; and which host is down', async () => {
    const { cluster } = stage;
    const [h1, h2, h3] = [stage.host(1), stage.host(2), stage.host(3)];
    const web = await cluster.vm(h1, { name: 'web', nic: NIC, append: `addr=${WEB} gw=${h1.address}` });
    await stage.ok(h1, 'assign', 'web', WEB, '2001:db8:12:4900::114');
    await web.start();
    await web.ready();
    // So slowly that there is time to look.
    await h1.virsh('migrate-setspeed', 'web', '1');
    const told = h2.start(['hnet', 'monitor', '--json', '--every', '1']);
    const moving = cluster.migrate(web, h2);
    const wrong: string[] = [];
    const uuid = (await h1.virsh('domuuid', 'web')).trim();
    const page = await open(h2, '#/');
    await row(page, 'web', 'incoming').waitFor();
    await row(page, 'web', 'h1, leaving for h2').waitFor();
    await row(page, 'mail', 'stopped there').waitFor();
    wrong.push(...(await wrongWith(page, 'cluster-overview')));
    await page.getByRole('link', { name: 'Addresses' }).click();
    await page.getByRole('gridcell', { name: `${WEB}, between two hosts, web` }).waitFor();
    await page.getByRole('gridcell', { name: `${MAIL}, on another host, mail` }).click();
    wrong.push(...(await wrongWith(page, 'cluster-pools')));
    await page.getByRole('link', { name: 'Topology' }).click();
    await page.getByText('h3').first().waitFor({ state: 'attached' });
    wrong.push(...(await wrongWith(page, 'cluster-topology')));
    await page.goto(page.url().replace(/#.*/, `#/vm/${uuid}`));
    await page.getByText('It is on its way to this host. Until it arrives another host runs it.').waitFor();
    wrong.push(...(await wrongWith(page, 'cluster-vm')));
    writeFileSync(`${SCREENS}/cluster.jsonl`, told.output);
    await told.stop();
    const home = await open(h1, '#/');
    await row(home, 'web', 'ok').waitFor();
    await row(home, 'shop', 'h2').waitFor();
    await h1.virsh('migrate-setspeed', 'web', '1000');
    await moving;
    await row(home, 'web', 'runs there').waitFor();
    await row(home, 'web', 'h2').waitFor();
    await home.getByRole('link', { name: 'web' }).click();
    await home.getByText('This VM is on h2. What concerns it is shown and changed there.').waitFor();
    wrong.push(...(await wrongWith(home, 'cluster-away')));
    await h3.crash();
    const picture = await open(h1, '#/topology');
    await picture.getByText('not up').first().waitFor({ state: 'attached', timeout: PATIENCE });
    wrong.push(...(await wrongWith(picture, 'cluster-down')));
    expect(wrong).to.deep.equal([]);
    for (const [host, onlooker] of onlookers) expect(await onlooker.leave(), host.name).to.deep.equal([]);
    await until(async () => (await h1.virsh('list', '--all', '--name')) === '', PATIENCE, 'h1 without web');
  });
});
