import { clusterOf } from '../cluster/open.ts';
import { Host } from '../host/host.ts';
import { log } from '../host/log.ts';
import type { Domain } from '../model/domain.ts';
import { isHere } from '../model/move.ts';
import { readDomain } from '../model/parse-domain.ts';
import { quote, Refusal, reason, visible } from '../model/refusal.ts';
import { nameless } from '../model/running.ts';
import type { Checked } from '../plan/walker.ts';
import { loadConfig } from '../state/config-file.ts';
import { takeMarker } from '../state/incoming-marker.ts';
import { factsOf, note } from '../state/journal.ts';
import { assignmentOf } from './admission.ts';
import { presumed } from './in-force.ts';
import { expect } from './incoming.ts';
import { reconnect } from './reconnect.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';

/** The whole hook's time limit, in milliseconds. libvirt sets none, and holds the domain's lock meanwhile. */
const DEADLINE = 30_000;

/** What may be refused, and what that keeps libvirt from doing. */
const REFUSED: Readonly<Record<string, string>> = { prepare: 'start', migrate: 'take over' };

/** What libvirt is told: the exit code, and on a failure the one line its user will see. */
interface HookResult {
  readonly code: 0 | 1;
  readonly message: string | undefined;
}

/**
 * Acts on one call of libvirt's hook (libvirt.org/hooks.html). Only `prepare` may refuse, and `migrate`, which comes before
 * it at the host to which a domain moves: after them the guest runs, and a failing `reconnect` would kill it.
 * @param xml the domain's XML, from standard input
 */
export function hook(operation: string, xml: string): HookResult {
  const started = Date.now();
  let name = '';
  try {
    const host = new Host({ limit: DEADLINE });
    const domain = domainIn(operation, xml);
    name = domain.name;
    const done = act(operation, domain, host);
    for (const warning of host.warnings) log(`${operation} ${quote(name)}: ${reason(warning)}`, 'err');
    if (done !== undefined) log(`${operation} ${quote(name)}: ${done} in ${Date.now() - started} ms`);
    return { code: 0, message: undefined };
  } catch (error) {
    const verb = REFUSED[operation];
    const message = visible(`hnet: Cannot ${verb ?? operation} ${quote(name)}: ${explain(error)}`);
    log(message, 'err');
    return verb === undefined ? { code: 0, message: undefined } : { code: 1, message };
  }
}

/** Twice what libvirt's protocol takes for one text (REMOTE_STRING_MAX, 4 MiB), in UTF-16 units. */
const LARGEST = 8 << 20;

/** A domain that runs, or has run, goes by its record: of its XML, the UUID is enough. */
function domainIn(operation: string, xml: string): Domain {
  try {
    if (xml.length >= LARGEST) throw new Refusal(`its XML has more than ${LARGEST >> 20} MiB`);
    return readDomain(xml);
  } catch (error) {
    const known = operation in REFUSED ? undefined : nameless(xml);
    if (known === undefined) throw error;
    return known;
  }
}

/** A Refusal, or an error of the system (disk full), is clear by itself; any other error is a bug: say where. */
function explain(error: unknown): string {
  if (error instanceof Refusal || !(error instanceof Error) || 'syscall' in error) return reason(error);
  return `${reason(error)} (a bug in hnet: ${(error.stack ?? '').split('\n')[1]?.trim() ?? 'no stack'})`;
}

function act(operation: string, domain: Domain, host: Host): string | undefined {
  switch (operation) {
    case 'migrate': {
      const assignment = assignmentOf(domain);
      const config = loadConfig();
      const cluster = clusterOf(config, host);
      if (assignment === undefined || cluster === undefined) return undefined;
      expect(domain, assignment, cluster, config, host);
      return 'it comes from another host';
    }
    case 'prepare': {
      const assignment = assignmentOf(domain);
      if (assignment === undefined) return undefined;
      const state = takeMarker(domain.uuid) ? 'incoming' : undefined;
      const done = start(domain, assignment, loadConfig(), host, state);
      // Until it has arrived it runs elsewhere.
      if (state === undefined) record('start', { ...domain, addresses: assignment.addresses }, host);
      return `brought up ${labels(done)}`;
    }
    case 'release': {
      const attachment = stop(domain, host, () => presumed(loadConfig, host));
      // What is on its way is, or goes on being, another host's.
      if (attachment !== undefined && isHere(attachment.state))
        record('stop', { ...attachment, uuid: attachment.domain }, host);
      return attachment && `took down ${attachment.addresses.map(({ bridge }) => bridge).join(', ')}`;
    }
    case 'reconnect':
      return `repaired ${labels(reconnect(domain, loadConfig(), host))}`;
    default:
      return undefined;
  }
}

/** For `hnet history`. A start or a stop doesn't fail with it. */
function record(is: 'start' | 'stop', what: Parameters<typeof factsOf>[1], host: Host): void {
  const failure = note(factsOf(is, what));
  if (failure !== undefined) host.warnings.push(failure);
}

const labels = (done: readonly Checked[]): string =>
  done.map(({ resource }) => resource.label).join(', ') || 'nothing';
