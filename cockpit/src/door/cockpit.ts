/**
 * What the page uses of Cockpit's stable API, as its guide has it (cockpit-project.org/guide). The host's own
 * `../base1/cockpit.js`, which index.html loads, brings it.
 */

/** Why something of Cockpit's failed. */
export interface Problem {
  /** `not-found`, `access-denied`, `terminated` …; null where the program itself ended with an error. */
  readonly problem: string | null;
  readonly message?: string;
  readonly exit_status?: number | null;
}

export interface Process {
  readonly stream: (callback: (data: string) => void) => Process;
  readonly then: (
    done: (output: string) => void,
    failed: (problem: Problem, output: string | undefined) => void,
  ) => unknown;
  readonly input: (data: string) => Process;
  readonly close: (problem?: string) => void;
}

interface SpawnOptions {
  /** `require`: as the administrator, or not at all. `try`: or else as the user. */
  readonly superuser?: 'require' | 'try';
  readonly err?: 'message' | 'out' | 'ignore';
  readonly environ?: readonly string[];
}

interface Watched {
  readonly remove: () => void;
}

interface HostFile {
  /** Null where there is no such file. */
  readonly read: () => PromiseLike<string | null>;
  /** Calls back with null where there is no such file, and with a problem where it can't be read. */
  readonly watch: (
    callback: (content: string | null, tag: string | null, problem?: Problem | null) => void,
  ) => Watched;
  readonly close: () => void;
}

interface Permission {
  /** Null until it is known. */
  readonly allowed: boolean | null;
  readonly addEventListener: (event: 'changed', callback: () => void) => void;
  readonly close: () => void;
}

interface Location {
  readonly path: readonly string[];
  readonly options: Readonly<Record<string, string | readonly string[]>>;
  readonly go: (path: readonly string[], options?: Readonly<Record<string, string>>) => void;
}

interface Cockpit {
  readonly spawn: (argv: readonly string[], options?: SpawnOptions) => Process;
  readonly file: (path: string) => HostFile;
  readonly permission: (options: { readonly admin: boolean }) => Permission;
  readonly dbus: (
    name: null,
    options: { readonly bus: 'internal' },
  ) => { readonly proxy: (interfaceName: string, path: string) => unknown; readonly close: () => void };
  readonly gettext: (text: string) => string;
  readonly ngettext: (one: string, many: string, count: number) => string;
  /** Puts arguments in the places of $0, $1 … */
  readonly format: (text: string, ...values: (string | number)[]) => string;
  readonly jump: (path: string) => void;
  readonly location: Location;
  readonly addEventListener: (event: 'locationchanged', callback: () => void) => void;
  readonly removeEventListener: (event: 'locationchanged', callback: () => void) => void;
}

declare const window: { readonly cockpit: Cockpit };

/** @throws TypeError outside of Cockpit */
export const cockpit = window.cockpit;
