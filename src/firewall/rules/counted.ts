import { formatLong } from '../../model/address.ts';
import type { Prefix } from '../../model/prefix.ts';
import type { Traffic } from '../../model/traffic.ts';
import type { FilterView } from '../../model/view.ts';
import { countingSets } from './sets.ts';

/** What the kernel has counted for an address since its domain started; undefined where its sets were not read. */
export function countedOf(prefix: Prefix, { sets }: FilterView): Traffic | undefined {
  const [received, sent] = countingSets(prefix.family).map(name => {
    const contents = sets.get(name);
    return typeof contents === 'object' ? contents.get(formatLong(prefix)) : undefined;
  });
  return received === undefined || sent === undefined ? undefined : { in: received, out: sent };
}
