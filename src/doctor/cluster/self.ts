import { hostname } from 'node:os';
import { type Diagnosis, diagnosis } from '../diagnosis.ts';
import { clusterOf, type Facts, leadsTo } from '../facts.ts';

/** The other host's libvirt asks this one for its name, and sends the VM to where that leads from here. */
export function checkOwnName(facts: Facts): Diagnosis[] {
  if (clusterOf(facts) === undefined) return [];
  const name = hostname();
  const found = leadsTo(name, facts);
  if (!/^127\.|^::1$/.test(found)) return [];
  return diagnosis(
    `this host's own name, ${name}, leads to ${found}`,
    'libvirt would send an incoming VM back to the host it comes from',
    `sed -i '/^127.0.1.1/d' /etc/hosts  # and name it with its address on the wire`,
  );
}

export function checkClock(facts: Facts): Diagnosis[] {
  if (clusterOf(facts) === undefined) return [];
  if (facts.output('timedatectl', 'show', '--property=NTPSynchronized', '--value').trim() !== 'no') return [];
  return diagnosis(
    "this host's clock isn't synchronized",
    'histories of several hosts cannot be read side by side, and certificates may count as not yet valid',
    'apt install chrony',
  );
}
