/** Who changes packet filters, by the events of nftables, which name the process. */
import { readIfThere } from '../host/files.ts';

/** The last event of each change: `# new generation 7 by process 1234 (iptables)`. The name is cut off after 15 bytes. */
const GENERATION = /^# new generation \d+ by process (\d+) \((.*)\)/;
/** What changes filters on behalf of others, and programs that only run it. */
const TOOL = /^(nft|(ip6?|x|arp|eb)tables)/;
const SHELL = /^(sh|bash|dash|sudo|env|xargs|timeout|setpriv|nsenter)$/;
const DEEPEST = 8;

export class Writers {
  #last: string | undefined;

  /** Takes a line of `nft monitor`. Of a tool that has ended by now nobody can tell who ran it. */
  note(line: string): void {
    const [, pid, name = ''] = GENERATION.exec(line) ?? [];
    if (pid === undefined) return;
    const caller = TOOL.test(name) ? callerOf(Number(pid), DEEPEST) : undefined;
    if (caller !== undefined) this.#last = `${caller} (${name})`;
    else if (!TOOL.test(name)) this.#last = name;
  }

  /** The last program beside us that changed something. */
  get last(): string | undefined {
    return this.#last;
  }
}

/** Who has called a tool, perhaps by shells; undefined if nobody is left to tell, or if it was this process. */
function callerOf(pid: number, depth: number): string | undefined {
  // proc_pid_stat(5): the pid, the name in parentheses, which may hold some, the state, the parent.
  const [, parent] = /.*\) \S (\d+) /s.exec(readIfThere(`/proc/${pid}/stat`) ?? '') ?? [];
  if (parent === undefined || Number(parent) === process.pid) return undefined;
  const name = readIfThere(`/proc/${parent}/comm`)?.trim();
  const above =
    name !== undefined && SHELL.test(name) && depth > 0 ? callerOf(Number(parent), depth - 1) : undefined;
  return above ?? name;
}
