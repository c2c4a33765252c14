/**
 * Process priority (setpriority(2)). libvirt waits for hnet, and hnet's processes for each other's locks, while booting
 * virtual machines leave them a twentieth of a processor: without priority each start takes seconds.
 */
import { getPriority, setPriority } from 'node:os';
import { ifPossible } from '../model/refusal.ts';

/** Niceness, from -20 to 19; hooks/qemu.sh begins with the same. */
const URGENT = -15;
const ORDINARY = 0;

/** Does work that other processes wait for. */
export const urgently = <T>(work: () => T): T => withPriority(URGENT, work);

/** The same for a process that has nothing else to do, and waits for most of its time. */
export const urgentForGood = (): void => prefer(URGENT);

/** Starts a program that nobody waits for, or that stays: a child inherits the priority. */
export const ordinarily = <T>(work: () => T): T => withPriority(ORDINARY, work);

function withPriority<T>(niceness: number, work: () => T): T {
  const before = getPriority();
  prefer(niceness);
  try {
    return work();
  } finally {
    prefer(before);
  }
}

/** Without CAP_SYS_NICE the priority stays as it is. */
const prefer = (niceness: number): void => ifPossible(() => setPriority(niceness));
