import { checkConfinement } from '../../doctor/confinement.ts';
import { checkDelivery } from '../../doctor/delivery.ts';
import { checkDetour, detourNotes } from '../../doctor/detour.ts';
import { checkDhcp } from '../../doctor/dhcp.ts';
import type { Diagnosis } from '../../doctor/diagnosis.ts';
import {
  checkFilters,
  checkLibvirt,
  checkMetadata,
  checkNeighbours,
  checkTwins,
} from '../../doctor/domains.ts';
import { type Facts, gather } from '../../doctor/facts.ts';
import { checkHook } from '../../doctor/hook.ts';
import { checkIpv6 } from '../../doctor/ipv6.ts';
import { checkMacs, macNotes } from '../../doctor/macs.ts';
import { checkMtu } from '../../doctor/mtu.ts';
import { checkConfig, checkForwarding, checkPools, checkScopes, checkUplinks } from '../../doctor/network.ts';
import { checkArp, checkHostAddresses, checkServed } from '../../doctor/served.ts';
import { checkContests, checkStrangers, dropNotes, insideNotes } from '../../doctor/strangers.ts';
import { checkTools } from '../../doctor/tools.ts';
import type { Context } from '../../host/context.ts';
import { EXIT } from '../exit-codes.ts';

/** In this order because what an earlier check finds may be the cause of what a later one finds. */
const CHECKS: readonly ((facts: Facts) => Diagnosis[])[] = [
  checkConfig,
  checkTools,
  checkUplinks,
  checkDetour,
  checkMtu,
  checkForwarding,
  checkIpv6,
  checkDelivery,
  checkPools,
  checkScopes,
  checkStrangers,
  checkContests,
  checkLibvirt,
  checkHook,
  checkConfinement,
  checkDhcp,
  checkMetadata,
  checkTwins,
  checkFilters,
  checkMacs,
  checkNeighbours,
  checkHostAddresses,
  checkArp,
  checkServed,
];

export const examine = (facts: Facts): Diagnosis[] => CHECKS.flatMap(check => check(facts));

/** Whether this host is fit for hnet. */
export function doctor(context: Context): void {
  const facts = gather(context.host);
  const findings = examine(facts);
  const notes = [...detourNotes(facts), ...dropNotes(facts), ...insideNotes(facts), ...macNotes(facts)];
  context.answer({ findings, notes });
  for (const note of notes) context.print(`note: ${note}`);
  if (findings.length === 0) context.print('This host is fit');
  else for (const { what, why, mend } of findings) context.print(`${what}\n  why   ${why}\n  mend  ${mend}`);
  if (findings.length > 0) process.exitCode = EXIT.found;
}
