/** A guest's tap in its bridge, and whatever keeps packets from passing between both. */
import type { Tap } from '../model/bridge.ts';
import type { Link, PortSettings, View } from '../model/view.ts';
import { type Action, ip } from './action.ts';
import { changed, PRESENT, type Resource } from './resource.ts';

/** What keeps packets from passing, and the words for `ip link set dev TAP` that mend it. */
interface Flaw {
  readonly why: string;
  readonly mend: readonly string[];
}

/**
 * libvirt plugs a tap in at a start, with the MTU of the bridge; we when the bridge had to be made anew. Where libvirt was told to pull the cable, it
 * may have set the tap down, and we leave it so.
 */
export function bridgePort(bridge: string, { name, isOff }: Tap, mtu: number): Resource {
  const flaws = (view: View): Flaw[] => flawsOf(view.links.get(name), { bridge, mtu, isOff });
  const command = (words: readonly string[]): string => ['ip link set dev', name, ...words].join(' ');
  return {
    key: `port ${name}`,
    label: `port ${name} in ${bridge}`,
    probe: view => {
      const [flaw] = flaws(view);
      return flaw === undefined ? PRESENT : changed(`${flaw.why}; ${command(flaw.mend)}`);
    },
    up: view => flaws(view).map(({ mend }): Action => ip('link', 'set', 'dev', name, ...mend)),
    down: () => [],
  };
}

interface Needed {
  readonly bridge: string;
  readonly mtu: number;
  readonly isOff: boolean;
}

/** In the order in which they are mended: whatever enters a bridge has its settings as by default. */
function flawsOf(link: Link | undefined, needed: Needed): Flaw[] {
  // One that is gone can't be plugged in: repair/plugs.ts names it.
  if (link === undefined) return [];
  const { bridge, mtu, isOff } = needed;
  const size = link.mtu < mtu ? ['mtu', String(mtu)] : [];
  if (link.master !== bridge)
    return [
      {
        why: `its bridge is ${link.master ?? 'none'}`,
        mend: [...size, 'master', bridge, ...(isOff ? [] : ['up'])],
      },
    ];
  // What is too large for it would be lost without a word.
  const narrow =
    size.length === 0 ? [] : [{ why: `its MTU is ${link.mtu}, and its bridge's ${mtu}`, mend: size }];
  return [...narrow, ...(isOff ? [] : cableFlaws(link)), ...settingFlaws(link.port)];
}

/** A port is disabled while its link is down, and comes up by itself with it. */
function cableFlaws({ up, carrier, kind, port }: Link): Flaw[] {
  if (!up) return [{ why: 'it is set down', mend: ['up'] }];
  // Of other kinds than taps the carrier is the other end's business.
  if (!carrier && kind === 'tun') return [{ why: 'its carrier is off', mend: ['carrier', 'on'] }];
  if (!carrier || port === undefined || port.state === 'forwarding') return [];
  return [{ why: `its state is ${port.state}`, mend: ['type', 'bridge_slave', 'state', FORWARDING] }];
}

/** BR_STATE_FORWARDING of linux/if_bridge.h. */
const FORWARDING = '3';

/** A setting by the kernel's name: how it has to be, and what is wrong otherwise. */
const NEEDED: Readonly<Record<Exclude<keyof PortSettings, 'state'>, readonly [string, boolean]>> = {
  flood: ['flood', true],
  mcastFlood: ['mcast_flood', true],
  bcastFlood: ['bcast_flood', true],
  locked: ['locked', false],
  proxyArp: ['proxy_arp', false],
};

const settingFlaws = (port: PortSettings | undefined): Flaw[] =>
  Object.entries(NEEDED).flatMap(([key, [name, needed]]) => {
    const is = port?.[key as keyof typeof NEEDED] ?? needed;
    const word = (on: boolean): string => (on ? 'on' : 'off');
    return is === needed
      ? []
      : [{ why: `its ${name} is ${word(is)}`, mend: ['type', 'bridge_slave', name, word(needed)] }];
  });
