/** Ports of the host that would lead to a domain, and on which the host itself listens. */
import type { Host } from '../host/host.ts';
import { isCalled, type Listener, listeners } from '../host/observe/listeners.ts';
import { type Domain, domainWord, forwardsOf } from '../model/domain.ts';
import { formatForward } from '../model/forward-words.ts';
import { Refusal, reason } from '../model/refusal.ts';

/**
 * Metadata may come from a template, or from another host, past `hnet forward add`: it would take the host's own SSH. Only
 * domains with forwards pay for the look.
 * @throws Refusal that names the program
 */
export function refuseHostPorts(domain: Domain, host: Host): void {
  const forwards = forwardsOf(domain);
  if (forwards.length === 0) return;
  const listening = listenersOn(host);
  for (const forward of forwards) {
    const server = listening.find(one => isCalled(one, forward));
    if (server === undefined) continue;
    const { program = 'a program', protocol, port } = server;
    const [ports, on] = formatForward(forward).split(' on ');
    const words = on === undefined ? ports : `${ports} --on ${on}`;
    throw new Refusal(
      `its forward ${formatForward(forward)} would take calls from ${program} of the host, which listens on ${protocol}/${port}; hnet forward delete ${domainWord(domain)} ${words}`,
    );
  }
}

/** Where nobody tells who listens, that is no reason not to start. */
function listenersOn(host: Host): Listener[] {
  try {
    return listeners(host);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    host.warnings.push(reason(error));
    return [];
  }
}
