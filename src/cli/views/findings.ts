/** What doctor finds, for people. */
import type { Diagnosis } from '../../doctor/diagnosis.ts';

export const findingLines = (findings: readonly Diagnosis[], notes: readonly string[]): string[] => [
  ...notes.map(note => `note: ${note}`),
  ...(findings.length === 0
    ? ['This host is fit']
    : findings.map(({ what, why, mend }) => `${what}\n  why   ${why}\n  mend  ${mend}`)),
];
