/** What somebody wants to do, and how a view says so. */
import { createContext, useContext } from 'react';
import type { Argv, Party } from '../model/commands.ts';

export type Wish =
  | { readonly is: 'assign'; readonly address?: string; readonly party?: Party }
  | { readonly is: 'unassign'; readonly address: string; readonly party: Party }
  | { readonly is: 'move'; readonly address: string; readonly party: Party }
  | { readonly is: 'reserve'; readonly address?: string }
  | { readonly is: 'release'; readonly address: string }
  | { readonly is: 'add rule'; readonly party: Party; readonly rules: readonly string[] }
  /** A change that has no form: it is only confirmed. */
  | { readonly is: 'confirm'; readonly title: string; readonly argv: Argv; readonly isDanger?: boolean };

/** Said once, at the top of the page. */
export interface Notice {
  readonly title: string;
  readonly lines: readonly string[];
}

interface Doing {
  readonly wish: (wish: Wish) => void;
  readonly notify: (notice: Notice) => void;
}

export const DoingContext = createContext<Doing>({ wish: () => undefined, notify: () => undefined });

export const useDoing = (): Doing => useContext(DoingContext);
