/** Holds what a repair says that it did against what a look sees afterwards; pure. */
import type { Difference } from '../model/difference.ts';
import { quote } from '../model/refusal.ts';
import { faultLine, faults, type KnownFault, knownFaults, repairable, repairOf } from './faults.ts';
import type { Survey } from './findings.ts';
import { isSameMatter, type Matter } from './matter.ts';
import { unservedLines } from './unserved-lines.ts';

/** What a repair says that it did, and what that is about. */
export interface Claim {
  readonly line: string;
  readonly about: Matter;
  /** What must be in order as well, for the line to be true. */
  readonly parts: readonly Matter[];
  /** The fault that it repaired. */
  readonly was: KnownFault | undefined;
}

const withoutPlaces = (found: Survey): Survey => ({
  ...found,
  base: found.base.filter(({ finding }) => !('mayWait' in finding)),
});

/** What no repair mends, or couldn't look at, a sentence each. */
export const beyondRepair = ({ unasked, unclear, unplugged, unserved }: Survey): string[] => [
  ...(unasked === undefined ? [] : [withoutLibvirt(unasked)]),
  ...unclear.map(({ name, why }) => `${quote(name)}: ${why}`),
  ...unplugged.map(({ attachment, why }) => `${quote(attachment.name)}: ${why}`),
  ...unservedLines(unserved),
];

/** What a repair would do something about, and none has: there are no passes left. */
export const comeMeanwhile = (last: Survey): string[] =>
  repairable(faults(last)).map(fault => `Cannot repair ${faultLine(fault)}: ${AGAIN}`);

/** What was done and isn't a fault any more. */
export function seenDone(claims: readonly Claim[], found: Survey, isPatient: boolean): Claim[] {
  const open = openOf(claims, found, isPatient);
  return claims.filter(claim => !open.some(fault => isOf(claim, fault)));
}

/** What still is a fault though it was repaired. */
export const openOf = (claims: readonly Claim[], found: Survey, isPatient: boolean): KnownFault[] =>
  knownFaults(isPatient ? withoutPlaces(found) : found).filter(fault =>
    claims.some(claim => isOf(claim, fault)),
  );

const isOf = ({ about, parts }: Claim, fault: KnownFault): boolean =>
  [about, ...parts].some(matter => isSameMatter(matter, fault));

export const toDifference = ({ was, about: { domain, what } }: Claim): Difference =>
  was === undefined ? { is: 'changed', domain, what } : repairOf(was);

/** What only the last pass met may have come again. Whoever repairs again and again sees to it next time, in silence. */
export function stillOpen(fault: KnownFault, earlier: readonly Claim[], isPatient: boolean): string[] {
  const isOld = earlier.some(claim => isOf(claim, fault));
  if (!isOld && isPatient) return [];
  return [`Cannot repair ${faultLine(fault)}: ${isOld ? AS_IT_WAS : AGAIN}`];
}

const AS_IT_WAS = 'no command failed, and it is as it was; see hnet --trace sync';
const AGAIN = 'it has come again; repeat hnet sync';

/** What it means that libvirt doesn't say which domains run. */
export const withoutLibvirt = (why: string): string =>
  `${why}; what no domain owns stays, and lost records are not rebuilt`;
