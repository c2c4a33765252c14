/** A server as a reader of docs/providers.md has it, who has done what its chapter says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Guest } from '../lab/guest.ts';
import { isIpv6 } from '../lab/site.ts';
import { equip } from '../tools/toolbox.ts';
import { COMMAND, HOOK, PROJECT } from './build.ts';
import { type Chapter, HNET_TOML, INTERFACES } from './guide.ts';
import { FakeLibvirt } from './libvirt.ts';
import type { Provider } from './providers.ts';
import { bridgeOf, type Scene } from './scene.ts';

/** Debian's programs, a libvirt, and hnet as install.sh leaves it. */
export async function furnish(one: Scene, { link }: Provider): Promise<FakeLibvirt> {
  const { host } = one;
  await equip(host);
  await one.overlay('/usr/local/sbin');
  const made = link && `'${link.words}') exec /usr/sbin/ip link set ${link.device} name ${link.name} ;;`;
  const hook = readFileSync(join(PROJECT, 'hooks/qemu.sh'), 'utf8');
  const scripts = {
    '/usr/local/sbin/hnet': `#!/bin/sh\nexec ${process.execPath} ${COMMAND} "$@"\n`,
    '/usr/local/sbin/sudo': '#!/bin/sh\nexec "$@"\n',
    '/usr/local/sbin/ip': `#!/bin/sh\ncase "$*" in\n${made ?? ''}\n*) exec /usr/sbin/ip "$@" ;;\nesac\n`,
    '/etc/libvirt/hooks/qemu': hook
      .replaceAll('@NODE@', process.execPath)
      .replaceAll('/usr/lib/hnet/qemu.cjs', HOOK),
  };
  for (const [path, text] of Object.entries(scripts)) {
    await host.write(path, text);
    await host.run(['chmod', '755', path]);
  }
  return FakeLibvirt.create(one);
}

/** Writes hnet.toml as the chapter has it, and with another backend if that isn't `auto`. */
export async function configure({ host }: Scene, { files }: Chapter, backend: string): Promise<void> {
  const text = files.get(HNET_TOML) ?? '';
  await host.write(HNET_TOML, backend === 'auto' ? text : `${text}\n[firewall]\nbackend = "${backend}"\n`);
}

/** Writes the file of the interfaces, and brings them up as a boot does. */
export async function boot({ host }: Scene, { files }: Chapter): Promise<void> {
  await host.write(INTERFACES, files.get(INTERFACES) ?? '');
  await host.sh('ip addr flush dev eth0; ip link set eth0 down; ifup -a');
}

/** A domain that `hnet assign` was typed for, as it runs. */
export interface Vm {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly guest: Guest;
}

/**
 * Types the commands. Where one assigns addresses, the domain starts with them, and in it the gateway is set up that
 * `hnet guest` names: for `hnet assign` itself a libvirt would be needed.
 */
export async function type(one: Scene, libvirt: FakeLibvirt, commands: readonly string[]): Promise<Vm[]> {
  const vms: Vm[] = [];
  for (const command of commands) {
    const [, name, list] = /^sudo hnet assign (\S+) (.*)$/.exec(command) ?? [];
    if (name === undefined || list === undefined) await one.host.sh(command);
    else vms.push(await start(one, libvirt, name, list.split(' ')));
  }
  return vms;
}

async function start(one: Scene, libvirt: FakeLibvirt, name: string, list: readonly string[]): Promise<Vm> {
  const bridge = bridgeOf(list[0] ?? '');
  const addresses = list.map(ip => ({ ip, bridge, scope: `172.30.${bridge.slice(2)}.0/24` }));
  await one.prepare(name, addresses);
  const guest = await one.host.guest({ name, bridge });
  await libvirt.run(name, { addresses, taps: [{ bridge, tap: name }] });
  const told = (await one.host.run(['hnet', 'guest', name, '--format', 'ifupdown'])).split('\n');
  for (const address of list) {
    const gateway = told.find(line => /^ +gateway /.test(line) && isIpv6(line) === isIpv6(address));
    await guest.static(address, gateway?.trim().split(' ')[1] ?? '');
  }
  return { name, addresses: list, guest };
}
