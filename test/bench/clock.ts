import type { Machine } from '../lab/machine.ts';

/**
 * Runs shell commands one after another in a machine and tells how long each took, in milliseconds. The clock is
 * bash's own: neither entering the machine nor reading the time costs a process within what is measured.
 * @throws Error if one of them fails
 */
export async function time(machine: Machine, commands: readonly string[]): Promise<number[]> {
  const script = commands.map(command => `a=$EPOCHREALTIME\n${command}\nb=$EPOCHREALTIME\n${ELAPSED}`);
  const output = await machine.run(['bash', '-c', `set -e\nexec 3>&1 >/dev/null\n${script.join('\n')}`], {
    limit: 300_000,
  });
  return output.split('\n').map(line => Number(line) / 1000);
}

/** EPOCHREALTIME is seconds with six decimals; without its point, microseconds. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: bash's, not ours
const ELAPSED = 'echo $((${b/./} - ${a/./})) >&3';
