import { existsSync } from 'node:fs';
import { CLUSTER_FILE } from '../model/names.ts';

/** Whether this host is one of several that share pools. */
export const isClustered = (): boolean => existsSync(CLUSTER_FILE);
