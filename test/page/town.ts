import type { Vm } from '../lab/vm.ts';
import type { Stage } from '../system/stage.ts';

/** Names that would do harm where one is taken for anything but text. */
export const HOSTILE = {
  markup: '<img src=x onerror=document.title=1>',
  /** It would be read as "vm[gpj.exe]" from the right. */
  bidi: 'vm\u202e]exe.jpg[',
  long: 'a very long name '.repeat(12).trim().slice(0, 200),
} as const;

/** A host as one sees it: domains that run and that don't, one with a fault, pools of both families, some of it reserved. */
export async function buildTown(stage: Stage): Promise<Vm> {
  const { hv } = stage;
  await stage.lab.route('198.51.100.0/24', hv);
  await hv.sh(`ip link add virbr0 type bridge && ip link set virbr0 up
    sed -i 's|^pools = .*|pools = ["123.45.90.112/29", "123.45.53.11", "198.51.100.0/24", "2001:db8:12:48::/64"]|' /etc/hnet/hnet.toml
    hnet base up`);
  const web = await hv.vm({ name: 'web', append: `addr=123.45.90.114 gw=${hv.address}` });
  for (const name of ['mail', 'shop-db', 'build', 'spare']) await hv.vm({ name, boots: false });
  await stage.ok('assign', 'web', '123.45.90.114', '2001:db8:12:48::14');
  await stage.ok('assign', 'mail', '123.45.90.115', '198.51.100.25');
  await stage.ok('assign', 'shop-db', '123.45.90.117');
  await stage.ok('assign', 'build', '--private');
  await stage.ok('reserve', '123.45.90.119', 'mail2');
  await stage.ok('reserve', '198.51.100.0/28');
  await stage.ok('firewall', 'mail', 'default', 'deny');
  await stage.ok('firewall', 'mail', 'allow', 'tcp/25,993');
  await stage.ok('firewall', 'mail', 'allow', 'tcp/22', 'from', '203.0.113.0/24');
  await web.start();
  for (const name of ['mail', 'build']) await hv.virsh('start', name);
  return web;
}
