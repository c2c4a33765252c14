/** All checks, and what else is to be said of a host. */
import { checkAlike } from './cluster/alike.ts';
import { checkBird } from './cluster/bird.ts';
import { checkEtcd } from './cluster/etcd.ts';
import { checkClock, checkOwnName } from './cluster/self.ts';
import { checkWire } from './cluster/wire.ts';
import { checkConfinement } from './confinement.ts';
import { checkDelivery } from './delivery.ts';
import { checkDetour, detourNotes } from './detour.ts';
import { checkDhcp } from './dhcp.ts';
import type { Diagnosis } from './diagnosis.ts';
import { checkFilters, checkLibvirt, checkMetadata, checkNeighbours, checkTwins } from './domains.ts';
import type { Facts } from './facts.ts';
import { checkForwards } from './forwards.ts';
import { checkHook } from './hook.ts';
import { checkIpv6 } from './ipv6.ts';
import { checkMacs, macNotes } from './macs.ts';
import { checkMtu } from './mtu.ts';
import { checkConfig, checkForwarding, checkPools, checkScopes, checkUplinks } from './network.ts';
import { checkNetworkd } from './networkd.ts';
import { checkArp, checkHostAddresses, checkServed } from './served.ts';
import { checkContests, checkStrangers, dropNotes, insideNotes } from './strangers.ts';
import { checkTools, checkUnseen } from './tools.ts';

/** In this order because what an earlier check finds may be the cause of what a later one finds. */
const CHECKS: readonly ((facts: Facts) => Diagnosis[])[] = [
  checkConfig,
  checkUnseen,
  checkTools,
  checkUplinks,
  checkDetour,
  checkMtu,
  checkForwarding,
  checkIpv6,
  checkDelivery,
  checkPools,
  checkNetworkd,
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
  checkForwards,
  checkNeighbours,
  checkHostAddresses,
  checkArp,
  checkServed,
  checkEtcd,
  checkWire,
  checkBird,
  checkAlike,
  checkOwnName,
  checkClock,
];

export const examine = (facts: Facts): Diagnosis[] => CHECKS.flatMap(check => check(facts));

/** What is no finding, but worth knowing when one looks for a cause. */
export const notesOn = (facts: Facts): string[] => [
  ...detourNotes(facts),
  ...dropNotes(facts),
  ...insideNotes(facts),
  ...macNotes(facts),
];
