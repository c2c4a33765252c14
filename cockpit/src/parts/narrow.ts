import { useSyncExternalStore } from 'react';

/** Where a telephone is held upright, say. */
const query = window.matchMedia('(width < 700px)');

function subscribe(listener: () => void): () => void {
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}

export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => query.matches);
