/** All that `hnet check` finds; whatever else shows or counts faults has them from here. */
import type { Apart } from '../cluster/apart.ts';
import { faultsInBooks } from './books-faults.ts';
import type { Fault } from './fault.ts';
import { faults } from './faults.ts';
import type { Survey } from './findings.ts';
import { type Listing, listDefinitions } from './listing.ts';
import { HOST } from './matter.ts';
import { faultsNext } from './next-start.ts';
import { transientFaults } from './transient.ts';

/**
 * @param found what a survey has found by this listing, with libvirt's last word
 * @param apart what keeps the host apart from its cluster; none where it is alone
 */
export const allFaults = (listing: Listing, found: Survey, apart: readonly Apart[]): Fault[] => [
  ...faults(found),
  ...faultsInBooks(found.config),
  ...faultsNext(listing.running ?? new Map(), listDefinitions(listing), found),
  ...apart.map((one): Fault => ({ ...HOST, is: 'cut off', mend: null, ...one })),
  ...(found.config.cluster === undefined ? [] : transientFaults(listing)),
];
