/** What tells of changes on this host: events of libvirt, of the kernel's network, of packet filters and of firewalld. */

import type { Source } from '../host/source.ts';
import { hasTool } from '../host/tools.ts';
import { type Config, rangesOf } from '../model/config.ts';
import { FAMILIES } from '../model/prefix.ts';
import { concerns, type Grounds } from './events.ts';

/** Events of libvirt that don't concern hnet. */
const NOISE =
  /^event '(rtc-change|watchdog|io-error|graphics|block-|balloon-change|tray-change|memory-|job-completed)/;

/** What a listener knows of what concerns it. */
export interface Ears {
  /** By {@link groundsIn}; undefined before the configuration was read. */
  readonly grounds: () => Grounds | undefined;
  /** Told each line about a packet filter. */
  readonly filter?: (line: string) => void;
}

/** The sources of events on this host. */
export function sourcesFor({ grounds, filter }: Ears): Source[] {
  const sources: (Source & { readonly needs: string })[] = [
    {
      needs: 'virsh',
      argv: ['virsh', '-q', 'event', '--all', '--loop'],
      concerns: line => !NOISE.test(line),
    },
    {
      needs: 'ip',
      argv: ['ip', '-o', 'monitor', 'link', 'address', 'route', 'rule', 'netconf'],
      concerns: line => {
        const known = grounds();
        return known === undefined || concerns(line, known);
      },
    },
    {
      needs: 'nft',
      argv: ['nft', 'monitor'],
      // A change of a filter is told line by line, and at its end who has made it.
      concerns: line => {
        filter?.(line);
        return !line.startsWith('# ');
      },
    },
    {
      needs: 'firewalld',
      argv: [
        'busctl',
        '--match',
        "type='signal',interface='org.fedoraproject.FirewallD1',member='Reloaded'",
        'monitor',
      ],
    },
  ];
  return sources.filter(({ needs }) => hasTool(needs));
}

/** What concerns this host, by its configuration. */
export function groundsIn(config: Config): Grounds {
  const { uplinks, inForce } = config;
  const own = [
    ...uplinks.flatMap(({ addresses, gateways }) => [...addresses, ...gateways]),
    ...inForce.flatMap(({ host, gateway, gateway6 }) => [host, gateway, gateway6]),
  ];
  return {
    ranges: [
      ...FAMILIES.flatMap(family => rangesOf(family, config)),
      ...own.filter(one => one !== undefined),
    ],
    uplinks: [...uplinks.flatMap(({ devices }) => devices), ...inForce.map(({ device }) => device)],
  };
}
