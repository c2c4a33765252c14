import { Host } from '../host/host.ts';
import { log } from '../host/log.ts';
import type { Domain } from '../model/domain.ts';
import { readDomain } from '../model/parse-domain.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import type { Checked } from '../plan/walker.ts';
import { loadConfig } from '../state/config-file.ts';
import { assignmentOf } from './admission.ts';
import { reconnect } from './reconnect.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';

/** The whole hook's time limit, in milliseconds. libvirt sets none, and holds the domain's lock meanwhile. */
const DEADLINE = 30_000;

/** What libvirt is told: the exit code, and on a failure the one line its user will see. */
export interface HookResult {
  readonly code: 0 | 1;
  readonly message: string | undefined;
}

/**
 * Acts on one call of libvirt's hook (libvirt.org/hooks.html). Only `prepare` may refuse: after it the guest
 * runs, and a failing `reconnect` would kill it.
 * @param xml the domain's XML, from standard input
 */
export function hook(operation: string, xml: string): HookResult {
  const started = Date.now();
  let name = '';
  try {
    const domain = readDomain(xml);
    name = domain.name;
    const done = act(operation, domain, new Host({ limit: DEADLINE }));
    if (done !== undefined) log(`${operation} ${quote(name)}: ${done} in ${Date.now() - started} ms`);
    return { code: 0, message: undefined };
  } catch (error) {
    const message = `hnet: Cannot ${operation === 'prepare' ? 'start' : operation} ${quote(name)}: ${explain(error)}`;
    log(message, 'err');
    return operation === 'prepare' ? { code: 1, message } : { code: 0, message: undefined };
  }
}

/** A Refusal, or an error of the system (disk full), is clear by itself; any other error is a bug: say where. */
function explain(error: unknown): string {
  if (error instanceof Refusal || !(error instanceof Error) || 'syscall' in error) return reason(error);
  return `${reason(error)} (a bug in hnet: ${(error.stack ?? '').split('\n')[1]?.trim() ?? 'no stack'})`;
}

function act(operation: string, domain: Domain, host: Host): string | undefined {
  switch (operation) {
    case 'prepare': {
      const assignment = assignmentOf(domain);
      return assignment && `brought up ${labels(start(domain, assignment, loadConfig(), host))}`;
    }
    case 'release': {
      const attachment = stop(domain, host);
      return attachment && `took down ${attachment.addresses.map(({ bridge }) => bridge).join(', ')}`;
    }
    case 'reconnect':
      return `repaired ${labels(reconnect(domain, loadConfig(), host))}`;
    default:
      return undefined;
  }
}

const labels = (done: readonly Checked[]): string =>
  done.map(({ resource }) => resource.label).join(', ') || 'nothing';
