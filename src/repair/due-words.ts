import type { Due } from '../moves/due.ts';

/** Why it is a fault that nobody has turned a domain's routes. */
export const dueWords = ({ attachment: { state }, turn }: Due): string =>
  turn === 'leaving'
    ? 'it is on its way to another host, and its routes still lead here'
    : state === 'arrived'
      ? 'it arrived long ago, and its routes are still those of one that has just arrived'
      : 'it runs here, and its routes still wait for it';
