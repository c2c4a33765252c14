/**
 * What each tool says where the thing to be removed isn't there: that is no failure. test/tools/absence.test.ts asks the
 * installed tools, test/unit/absence.test.ts has the words of other versions.
 */
import type { BatchTool } from '../resources/action.ts';
import type { CommandFailure } from './command.ts';

interface Words {
  /** The line that says so. */
  readonly absent: RegExp;
  /** Lines that only say which command it was. */
  readonly frame?: RegExp;
}

const WORDS: Readonly<Record<BatchTool | 'conntrack', Words>> = {
  ip: {
    absent:
      /^Cannot find device "|^RTNETLINK answers: (No such process|No such device|No such file or directory|Cannot assign requested address)$|^Error: ipv[46]: [Aa]ddress not found\.$/,
    frame: /^Command failed -:\d+$/,
  },
  ipset: {
    absent:
      /: (The set with the given name does not exist|Element cannot be deleted from the set: it's not added)$/,
  },
  nft: {
    absent: /Error: (Could not process rule: )?(No such file or directory|element does not exist)/,
    // The command once more, and below it a mark.
    frame: /^(delete|flush) |^ *\^[~^]*$/,
  },
  conntrack: { absent: /: 0 flow entries have been deleted\.$/ },
};

/**
 * Whether a failed removal says that there was nothing to remove, and nothing else. A tool that hangs says nothing.
 * @param lines what it was told to do: what was to be put in a place that isn't there was not put
 */
export function meansAbsence(
  tool: keyof typeof WORDS,
  { status, stderr }: Pick<CommandFailure, 'status' | 'stderr'>,
  lines: readonly string[] = [],
): boolean {
  const { absent, frame } = WORDS[tool];
  const said = stderr.split('\n').filter(line => line.trim() !== '' && !frame?.test(line));
  // `ip` exits with 2 where a command ends the batch, as `ip neigh` does.
  const hasFailed = status === 1 || (tool === 'ip' && status === 2);
  if (!hasFailed || said.length === 0 || !said.every(line => absent.test(line))) return false;
  return tool !== 'ip' || !failedAmong(lines, stderr).some(line => PUTS.test(line));
}

/** A line of `ip` that puts something in its place. */
const PUTS = /^\S+ (add|replace) /;

/** Those lines of which `ip` says that they failed; all of them, where it doesn't say which. */
function failedAmong(lines: readonly string[], stderr: string): readonly string[] {
  const numbers = [...stderr.matchAll(/^Command failed -:(\d+)$/gm)].map(([, number]) => Number(number));
  return numbers.length === 0 ? lines : numbers.flatMap(number => lines[number - 1] ?? []);
}
