import { bootId } from '../state/journal.ts';

/** What tells a start from every other one of its domain. */
export const newStart = () => ({ boot: bootId(), start: `${new Date().toISOString()} ${process.pid}` });
