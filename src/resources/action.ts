/** One change to the host, as data. */
export type Action =
  /** A line for `ip -batch -`, `ipset restore` or `nft -f -`; neighbours are sent together. */
  | { readonly kind: 'line'; readonly tool: BatchTool; readonly words: readonly string[] }
  | { readonly kind: 'run'; readonly argv: readonly string[]; readonly stdin?: string }
  /** Starts a program and doesn't wait for it. */
  | { readonly kind: 'launch'; readonly argv: readonly string[] }
  /** Tells the wire of an interface which addresses are here now, and doesn't wait; neighbours are told together. */
  | { readonly kind: 'announce'; readonly device: string; readonly prefixes: readonly string[] }
  /** Starts a server, which stays in the foreground, and notes its pid, and what it says on standard error. */
  | ({ readonly kind: 'serve' } & Service)
  /** A whole file, its directories made as needed. */
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  /** A value under /proc/sys. `ifPresent`: where the kernel lacks the file, it also lacks what the file switches. */
  | { readonly kind: 'sysctl'; readonly path: string; readonly value: string; readonly ifPresent?: boolean }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'remove'; readonly path: string }
  /** Takes the lines that match a regular expression out of a file, if it is there. */
  | { readonly kind: 'strike'; readonly path: string; readonly pattern: string }
  /** A symbolic link; replaces one that is there. */
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  /** Ends the process in a pid file, and others by `pids`, if their command line has the marker: pids are reused. */
  | {
      readonly kind: 'terminate';
      readonly pidFile: string;
      readonly marker: string;
      readonly pids?: readonly number[];
    };

export interface Service {
  readonly argv: readonly string[];
  readonly pidFile: string;
  /** The file that it writes. */
  readonly data: string;
  /** What it says on standard error. */
  readonly words: string;
  /** The UDP ports of its sockets. It serves when it has them all. */
  readonly ports: readonly number[];
}

export type Sysctl = Extract<Action, { kind: 'sysctl' }>;

export type BatchTool = 'ip' | 'ipset' | 'nft';

export const ip = (...words: string[]): Action => ({ kind: 'line', tool: 'ip', words });
export const ipset = (...words: string[]): Action => ({ kind: 'line', tool: 'ipset', words });
/** nft takes a line as it stands; a part in braces stays one word here. */
export const nft = (...words: string[]): Action => ({ kind: 'line', tool: 'nft', words });
export const run = (argv: readonly string[], stdin?: string): Action =>
  stdin === undefined ? { kind: 'run', argv } : { kind: 'run', argv, stdin };
export const launch = (argv: readonly string[]): Action => ({ kind: 'launch', argv });
export const announce = (device: string, prefix: string): Action => ({
  kind: 'announce',
  device,
  prefixes: [prefix],
});
export const serve = (service: Service): Action => ({ kind: 'serve', ...service });
export const write = (path: string, text: string): Action => ({ kind: 'write', path, text });
export const directory = (path: string): Action => ({ kind: 'directory', path });
export const remove = (path: string): Action => ({ kind: 'remove', path });
export const strike = (path: string, pattern: string): Action => ({ kind: 'strike', path, pattern });
export function terminate(pidFile: string, marker: string, ...pids: number[]): Action {
  return { kind: 'terminate', pidFile, marker, pids };
}
export const sysctl = (path: string, value: string, ifPresent = false): Sysctl =>
  ifPresent ? { kind: 'sysctl', path, value, ifPresent } : { kind: 'sysctl', path, value };

/** A value of an interface under /proc/sys/net, such as ("ipv4", "br116", "arp_filter"). */
export const sysctlPath = (family: 'ipv4' | 'ipv6', device: string, key: string): string =>
  `/proc/sys/net/${family}/conf/${device}/${key}`;

/** Consecutive lines for one tool, to be sent to it in one process; or a single other action. */
export type Batch =
  | { readonly kind: 'lines'; readonly tool: BatchTool; readonly lines: readonly string[] }
  | { readonly kind: 'single'; readonly action: Exclude<Action, { kind: 'line' }> };

/** Groups neighbouring lines of one tool, and what is told to one wire. The order is kept: it is what makes a plan safe. */
export function batches(actions: readonly Action[]): Batch[] {
  const result: Batch[] = [];
  let open: { tool: BatchTool; lines: string[] } | undefined;
  for (const action of actions) {
    if (action.kind !== 'line') {
      open = undefined;
      result.push({ kind: 'single', action: together(result, action) });
    } else if (open?.tool === action.tool) {
      open.lines.push(joinWords(action));
    } else {
      open = { tool: action.tool, lines: [joinWords(action)] };
      result.push({ kind: 'lines', ...open });
    }
  }
  return result;
}

/** An action with what the one before it has in common with it, which it takes the place of. */
function together<A extends Action>(before: Batch[], action: A): A {
  const last = before.at(-1);
  if (action.kind !== 'announce' || last?.kind !== 'single' || last.action.kind !== 'announce') return action;
  if (last.action.device !== action.device) return action;
  before.pop();
  return { ...action, prefixes: [...last.action.prefixes, ...action.prefixes] };
}

/** Merges lists so that actions of one kind come together; the order within each list is kept. */
export function interleave(lists: readonly (readonly Action[])[]): Action[] {
  const merged: Action[] = [];
  for (let open = lists.filter(list => list.length > 0); open.length > 0; ) {
    const kind = kindOf(open[0]?.[0]);
    const rests = open.map(list => {
      const end = list.findIndex(action => kindOf(action) !== kind);
      merged.push(...list.slice(0, end < 0 ? list.length : end));
      return end < 0 ? [] : list.slice(end);
    });
    open = rests.filter(rest => rest.length > 0);
  }
  return merged;
}

const kindOf = (action: Action | undefined): string | undefined =>
  action?.kind === 'line' ? action.tool : action?.kind;

/** The words of a line as its tool reads them: `ip -batch` and `ipset restore` want quotes around a space. */
export function joinWords({ tool, words }: Extract<Action, { kind: 'line' }>): string {
  return words.map(word => (tool !== 'nft' && /\s/.test(word) ? `"${word}"` : word)).join(' ');
}

/** The command and its input, as {@link Batch} runs it; `force` goes on past lines that fail. */
export function batchCommand(tool: BatchTool, lines: readonly string[], force: boolean) {
  const argv = {
    ip: ['ip', ...(force ? ['-force'] : []), '-batch', '-'],
    ipset: ['ipset', '-exist', 'restore'],
    nft: ['nft', '-f', '-'],
  };
  return { argv: argv[tool], stdin: lines.map(line => `${line}\n`).join('') };
}

/** An action as a person at a shell would write it. */
export function describe(action: Action): string {
  switch (action.kind) {
    case 'line':
      return action.tool === 'nft' ? `nft '${joinWords(action)}'` : `${action.tool} ${joinWords(action)}`;
    case 'run':
      return hereDocument(action.argv.join(' '), action.stdin);
    case 'launch':
    case 'serve':
      return `${action.argv.join(' ')} &`;
    case 'announce':
      return `hnet announce ${action.device} ${action.prefixes.join(' ')} &`;
    case 'write':
      return hereDocument(`cat > ${action.path}`, action.text);
    case 'sysctl':
      return `echo ${action.value} > ${action.path}`;
    case 'directory':
      return `mkdir -p ${action.path}`;
    case 'remove':
      return `rm -f ${action.path}`;
    case 'strike':
      return `perl -i -ne 'print unless /${action.pattern}/' ${action.path}`;
    case 'link':
      return `ln -sfn ${action.target} ${action.path}`;
    case 'terminate':
      return `kill $(cat ${action.pidFile})`;
  }
}

const hereDocument = (command: string, text: string | undefined): string =>
  text === undefined ? command : `${command} <<'END'\n${text.trimEnd()}\nEND`;
