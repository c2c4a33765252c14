/** What `hnet check` and `hnet doctor` find, as the banner shows it. */
import type { HostState } from './seen.ts';

export interface Problem {
  /** The same for the same problem, for React. */
  readonly key: string;
  /** The domain that it is about. */
  readonly domain: string | undefined;
  readonly uuid: string | undefined;
  readonly what: string;
  readonly why: string;
  /** The command that mends it. */
  readonly mend: string | undefined;
  readonly isFault: boolean;
}

/** What the Repair button runs. */
export const REPAIR = 'hnet sync';

/** First what isn't as it should be, then what may cause trouble. */
export const problemsOf = ({ faults, findings }: Pick<HostState, 'faults' | 'findings'>): Problem[] => [
  ...faults.map(
    ({ domain, uuid, what, is, why, mend }): Problem => ({
      key: `fault ${uuid ?? ''} ${what} ${is}`,
      domain: domain ?? undefined,
      uuid: uuid ?? undefined,
      what: `${what}: ${is}`,
      // It says no more than the line above.
      why: why === `it is ${is}` ? '' : why,
      mend: mend ?? undefined,
      isFault: true,
    }),
  ),
  ...findings.map(
    ({ what, why, mend }): Problem => ({
      key: `finding ${what}`,
      domain: undefined,
      uuid: undefined,
      what,
      why,
      mend,
      isFault: false,
    }),
  ),
];

/** Whether the Repair button does something about it. What doctor finds is the operator's to judge. */
export const isRepaired = ({ isFault, mend }: Problem): boolean => isFault && mend === REPAIR;

export const canRepair = (problems: readonly Problem[]): boolean => problems.some(isRepaired);

/** Those of one domain, and of what all of them depend on. */
export const problemsOfDomain = (problems: readonly Problem[], domain: string): Problem[] =>
  problems.filter(({ uuid, isFault }) => isFault && (uuid === undefined || uuid === domain));
