import { useSyncExternalStore } from 'react';
import { cockpit } from '../door/cockpit.ts';

/** Where one is on the page: the views, or a VM. It is in the address, so that one can come back, and share it. */
export type Place =
  | { readonly is: 'overview' }
  | { readonly is: 'pools'; readonly pool: string; readonly address: string }
  | { readonly is: 'topology' }
  | { readonly is: 'vm'; readonly uuid: string };

function subscribe(listener: () => void): () => void {
  cockpit.addEventListener('locationchanged', listener);
  return () => cockpit.removeEventListener('locationchanged', listener);
}

const written = (): string => JSON.stringify([cockpit.location.path, cockpit.location.options]);

export function usePlace(): Place {
  useSyncExternalStore(subscribe, written);
  const { path, options } = cockpit.location;
  const [view, uuid = ''] = path;
  const option = (name: string): string => {
    const value = options[name];
    return typeof value === 'string' ? value : '';
  };
  if (view === 'pools') return { is: 'pools', pool: option('pool'), address: option('address') };
  if (view === 'topology') return { is: 'topology' };
  return view === 'vm' ? { is: 'vm', uuid } : { is: 'overview' };
}

export function go(place: Place): void {
  if (place.is === 'vm') cockpit.location.go(['vm', place.uuid]);
  else if (place.is === 'pools') {
    const { pool, address } = place;
    cockpit.location.go(['pools'], { ...(pool !== '' && { pool }), ...(address !== '' && { address }) });
  } else cockpit.location.go(place.is === 'overview' ? [] : [place.is]);
}

/** For links, that one may open in another tab or hear as links. */
export const hrefOf = (uuid: string): string => `#/vm/${uuid}`;
