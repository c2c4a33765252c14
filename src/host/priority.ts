/**
 * Who goes first on a busy machine (setpriority(2)). libvirt and the others who want a lock wait for hnet, while virtual
 * machines that boot leave it a twentieth of a processor: then each start takes seconds, and they wait for each other.
 */
import { getPriority, setPriority } from 'node:os';

/** Niceness, from -20 to 19; hooks/qemu.sh begins with the same. */
const URGENT = -15;
const ORDINARY = 0;

/** Does what others wait for. */
export const urgently = <T>(work: () => T): T => withPriority(URGENT, work);

/** Starts what nobody waits for, and what stays: a child inherits the priority. */
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

/** A service without CAP_SYS_NICE stays as it is: slower, and nothing else. */
function prefer(niceness: number): void {
  try {
    setPriority(niceness);
  } catch {
    // The kernel refuses.
  }
}
