import type { Family } from '../model/prefix.ts';
import type { View } from '../model/view.ts';
import type { Action } from './action.ts';

/** How a resource compares with what is. */
export type Finding =
  | { readonly is: 'present' }
  /** `why`, where that is known. */
  | { readonly is: 'absent'; readonly why?: string }
  /** `mayWait`: it does its work as it is, and another program may want the place that it should have. */
  | { readonly is: 'changed'; readonly why: string; readonly mayWait?: true }
  /** Somebody else's thing stands in its place: it is never touched. */
  | { readonly is: 'foreign'; readonly why: string };

export const PRESENT: Finding = { is: 'present' };
export const ABSENT: Finding = { is: 'absent' };
export const absent = (why: string): Finding => ({ is: 'absent', why });
export const changed = (why: string): Finding => ({ is: 'changed', why });
export const misplaced = (why: string): Finding => ({ is: 'changed', why, mayWait: true });
export const foreign = (why: string): Finding => ({ is: 'foreign', why });

/** Why it isn't as it should be. @param missing what to say of what is simply not there */
export const whyOf = (finding: Finding, missing = 'it is missing'): string =>
  ('why' in finding ? finding.why : undefined) ?? missing;

/** Whether something isn't as it should be. */
export const isWrong = ({ finding }: { readonly finding: Finding }): boolean => finding.is !== 'present';

/** The addresses of domains whose packets a part of the base takes or changes while it isn't as it should be. */
export interface Affected {
  readonly families: readonly Family[];
  /** Of those that come by uplinks, only those that come by this one. */
  readonly device?: string;
  /** Only those for which the host answers on this wire. */
  readonly wire?: string;
}

/** One thing on the host, as a value. A plan is a list of them, and the walker (src/plan/walker.ts) acts on it. */
export interface Resource {
  /** Two resources of one key are the same thing on the host, whatever they make of it. Never shown. */
  readonly key: string;
  /** What people call it. */
  readonly label: string;
  /** Whether the kernel's choice of a packet's way depends on it. */
  readonly isRouting?: true;
  /** Of a part of the base; absent: no domain misses anything without it. */
  readonly affects?: (view: View) => Affected;
  readonly probe: (view: View) => Finding;
  /** From absent or changed to present; harmless when repeated. */
  readonly up: (view: View) => readonly Action[];
  /** From any state to absent; absence is success. */
  readonly down: (view: View) => readonly Action[];
}

/** A part of the base on which all addresses of a family depend. */
export const affecting = (family: Family, resource: Resource): Resource => ({
  ...resource,
  affects: () => ({ families: [family] }),
});

/** The finding about a thing with several parts. */
export function overall(findings: readonly Finding[]): Finding {
  if (findings.every(({ is }) => is === 'absent')) return ABSENT;
  const wrongs = findings.filter(finding => isWrong({ finding }));
  const wrong = wrongs.find(one => !('mayWait' in one)) ?? wrongs[0];
  return wrong === undefined ? PRESENT : wrong.is === 'absent' ? changed('a part of it is missing') : wrong;
}

/** Something that bears our marks and belongs to nobody, and how it goes. */
export interface Stray {
  readonly label: string;
  readonly why: string;
  readonly down: readonly Action[];
}
