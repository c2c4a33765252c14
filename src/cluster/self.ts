import { hostname } from 'node:os';
import type { ClusterSettings } from '../model/config.ts';

/** What this host is called among its peers. */
export const ownName = ({ host }: Pick<ClusterSettings, 'host'>): string => host ?? hostname();
