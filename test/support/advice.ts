/** What doctor advises, done as it says, on a host that has to be reached afterwards. */
import { expect } from 'chai';
import type { Host } from '../lab/host.ts';
import type { Lab } from '../lab/lab.ts';
import { COMMAND, NODE } from './build.ts';

export interface Advised {
  readonly host: Host;
  readonly lab: Lab;
}

/** Runs a command that doctor has printed, as an operator would, whatever comes of it. */
export const obey = ({ host }: Advised, mend: string) =>
  host.attempt(['sh', '-c', `export PATH=/run/lab/bin:$PATH EDITOR=true\n${mend}`]);

/** What would take packages, people or a libvirt does nothing here. */
export async function equip({ host }: Advised): Promise<void> {
  const nothing = 'sudo apt apt-get ssh ping systemctl virsh update-alternatives setsebool tcpdump'.split(
    ' ',
  );
  await host.sh(`mkdir -p /run/lab/bin; cd /run/lab/bin
    printf '#!/bin/sh\\nexec ${[...NODE, COMMAND].join(' ')} "$@"\\n' >hnet
    printf '#!/bin/sh\\nexit 0\\n' >sudo; chmod 755 hnet sudo
    for tool in ${nothing.slice(1).join(' ')}; do cp sudo $tool; done`);
}

/** From the Internet and from the gateway, when both ends have forgotten each other: what a table still knows hides a cut. */
export async function expectReached({ lab, host }: Advised, after: string): Promise<void> {
  const { name, address, address6 } = host.site;
  for (const [machine, device] of [
    [lab.gateway, name],
    [host, 'eth0'],
  ] as const)
    await machine.sh(`ip neigh flush dev ${device}; ip -6 neigh flush dev ${device}`);
  for (const [what, from] of Object.entries({ 'the Internet': lab.internet, 'the gateway': lab.gateway }))
    for (const to of [address, address6])
      expect(await from.ping(to), `${to} from ${what} after: ${after}`).to.equal(true);
}
