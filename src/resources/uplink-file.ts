import type { Backend } from '../model/config.ts';
import { UPLINK_FILE } from '../model/names.ts';
import { type Uplinks, uplinkText } from '../model/uplink.ts';
import { remove, write } from './action.ts';
import { ABSENT, changed, PRESENT, type Resource } from './resource.ts';

/**
 * Notes what the filter was made for, and with: from then on no better default route moves it to another interface, and no
 * tool that is installed later to another backend.
 */
export function uplinkFile(uplinks: Uplinks, backend: Backend): Resource {
  const text = uplinkText(uplinks, backend);
  return {
    key: 'uplink file',
    label: `note of the uplink ${uplinks.map(({ device }) => device).join(', ')}`,
    probe: view => {
      const noted = view.sysctl(UPLINK_FILE);
      if (noted === undefined) return ABSENT;
      return noted === text ? PRESENT : changed('it was another');
    },
    up: () => [write(UPLINK_FILE, `${text}\n`)],
    down: () => [remove(UPLINK_FILE)],
  };
}
