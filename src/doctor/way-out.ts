/** How large packets may be on the way between VMs and the outside; pure. */
import type { View } from '../model/view.ts';

/** Of Ethernet, and of every bridge that nobody set another for. */
export const ORDINARY = 1500;

/** What a command prints; nothing if it can't be run, or fails. */
type Output = (...argv: readonly string[]) => string;

/** The largest packet that the way out takes, and what says so. */
export interface WayOut {
  readonly mtu: number;
  readonly where: string;
}

export function wayOut(device: string, { links }: Pick<View, 'links'>, output: Output): WayOut {
  const uplink = links.get(device)?.mtu ?? ORDINARY;
  const smallest = Math.min(uplink, ...routeMtus(device, output));
  const where =
    smallest < uplink ? `the default route's MTU is ${smallest}` : `the MTU of ${device} is ${smallest}`;
  return { mtu: smallest, where };
}

/** What the routes to the outside themselves say (`ip route … dev eth0 mtu 1400`). */
const routeMtus = (device: string, output: Output): number[] =>
  ['-4', '-6']
    .flatMap(family => output('ip', family, 'route', 'show', 'default').split('\n'))
    .filter(route => `${route} `.includes(` dev ${device} `))
    .flatMap(route => / mtu (?:lock )?(\d+)/.exec(route)?.[1] ?? [])
    .map(Number);
