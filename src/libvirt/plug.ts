/** How a change of an interface changes a domain. Pure. */
import type { Domain, Nic } from '../model/domain.ts';
import type { NicChange } from './nic.ts';

/** The domain as it will be once its interface has moved to a bridge. */
export function plugged(domain: Domain, change: NicChange | undefined, bridge: string): Domain {
  if (change === undefined || change.kind === 'none') return domain;
  if (change.kind === 'attach') return { ...domain, nics: [...domain.nics, newcomer(change.mac, bridge)] };
  const nics = domain.nics.map(nic =>
    nic.mac === change.mac ? { ...nic, type: 'bridge', source: bridge } : nic,
  );
  return { ...domain, nics };
}

const newcomer = (mac: string, bridge: string): Nic => ({
  mac,
  type: 'bridge',
  source: bridge,
  tap: undefined,
  element: { name: 'interface', namespace: '', attributes: new Map(), children: [] },
});
