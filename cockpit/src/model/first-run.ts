/** The pools that somebody types for a first hnet.toml. */
import { parsePool } from '../../../src/model/config-values.ts';
import { reason, visible } from '../../../src/model/refusal.ts';

/** What a host that is set up has. */
export const CONFIG_FILE = '/etc/hnet/hnet.toml';

interface Read {
  readonly pools: readonly string[];
  /** Why they can't be used. */
  readonly why: string | undefined;
}

/** Reads addresses and subnets with anything between them that is no part of one. */
export function readPools(text: string): Read {
  const pools = text.split(/[\s,;]+/).filter(word => word !== '');
  try {
    for (const pool of pools) parsePool(pool);
    return { pools, why: undefined };
  } catch (error) {
    return { pools, why: visible(reason(error)) };
  }
}
