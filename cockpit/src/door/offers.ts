import { type Offer, readOffers } from '../model/offers.ts';
import { cockpit } from './cockpit.ts';

/** What hnet tells everybody: the domains with their addresses, or the free addresses. None where it can't look. */
export const offers = (kind: 'holders' | 'free'): Promise<readonly Offer[]> =>
  new Promise(resolve => {
    cockpit.spawn(['hnet', 'complete', kind, ''], { err: 'ignore' }).then(
      output => resolve(readOffers(output)),
      () => resolve([]),
    );
  });
