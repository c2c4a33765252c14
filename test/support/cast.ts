/** A host with a domain that is reached in both families, and who plays its parts. */
import type { Guest } from '../lab/guest.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import type { DomainOptions } from './domain.ts';
import { FakeLibvirt } from './libvirt.ts';
import { POOLS6, type Scene } from './scene.ts';

export const [MINE, MINE6] = ['123.45.90.116', '2001:db8:12:48::116'];
const ON_BRIDGE = { bridge: 'br116', scope: '172.30.116.0/24' };
export const VM1: DomainOptions = {
  addresses: [MINE, MINE6].map(ip => ({ ip, ...ON_BRIDGE })),
  taps: [{ bridge: 'br116', tap: 'vm1' }],
};
export const CONFIG = `pools = ${JSON.stringify(POOLS6)}
[dhcp]
dns = ["${INTERNET}", "${INTERNET6}"]
`;

export interface Cast {
  readonly one: Scene;
  readonly guest: Guest;
  readonly libvirt: FakeLibvirt;
  /** A program that runs meanwhile. */
  beside?: { readonly stop: () => Promise<unknown> };
}

export async function cast(one: Scene): Promise<Cast> {
  const libvirt = await FakeLibvirt.create(one);
  await one.prepare('vm1', VM1.addresses ?? []);
  const guest = await one.host.guest({ name: 'vm1', bridge: 'br116' });
  await configure({ one, guest });
  await libvirt.run('vm1', VM1);
  for (const ip of [MINE, MINE6])
    await until(() => one.lab.internet.ping(ip), PATIENCE, `an answer of ${ip}`);
  return { one, guest, libvirt };
}

/** Its guest as the user would configure it. */
export async function configure({ one, guest }: Pick<Cast, 'one' | 'guest'>): Promise<void> {
  await guest.sh(
    'ip address flush dev eth0 scope global; ip route flush dev eth0; ip -6 route del default || true',
  );
  await guest.static(MINE, one.host.address);
  await guest.static(MINE6, 'fe80::1');
}
