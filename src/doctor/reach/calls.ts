/** Which ports of a domain may be called to see whether anybody listens there; pure. */
import { addressesOf, type Domain, forwardsOf } from '../../model/domain.ts';
import { type Forward, familyOf } from '../../model/forward.ts';
import { targetOf } from '../../model/forward-words.ts';
import { equal, type Prefix } from '../../model/prefix.ts';

/** So many ports of one domain are called. */
const MOST = 16;

/**
 * The forwards to one of a domain's addresses of which it can be told whether anybody listens: one TCP port, of IPv4. Of a
 * range nobody has to listen on each, and UDP doesn't say.
 */
export function callsOf(domain: Domain, prefix: Prefix): Forward[] {
  const target = targetOf(addressesOf(domain), 4);
  if (target === undefined || !equal(target, prefix)) return [];
  return forwardsOf(domain)
    .filter(one => one.protocol === 'tcp' && familyOf(one) === 4 && one.ports[0] === one.ports[1])
    .slice(0, MOST);
}
