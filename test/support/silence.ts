import type { Machine } from '../lab/machine.ts';

/** A ping for where no answer is expected: short, for a lab's answers take microseconds. */
export async function isAnswered(machine: Machine, address: string): Promise<boolean> {
  const { code } = await machine.attempt(['ping', '-n', '-q', '-c3', '-i0.05', '-W0.3', address]);
  return code === 0;
}
