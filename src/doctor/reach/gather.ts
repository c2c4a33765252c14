/** Gathers the facts about a domain that may not be reachable, and changes nothing on the host. */
import { peerAddresses } from '../../cluster/around.ts';
import type { Context } from '../../host/context.ts';
import type { Host } from '../../host/host.ts';
import { look } from '../../host/observe/parts.ts';
import { pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { format } from '../../model/address.ts';
import type { Attachment } from '../../model/attachment.ts';
import { addressesOf, type Domain } from '../../model/domain.ts';
import { addresses, contains, type Prefix } from '../../model/prefix.ts';
import type { Survey } from '../../repair/findings.ts';
import { listRunning } from '../../repair/listing.ts';
import { unserved } from '../../repair/served.ts';
import { survey } from '../../repair/survey.ts';
import { explainStanding } from './explain.ts';
import type { AddressFacts, ReachFacts } from './facts.ts';
import { exceeded } from './limits.ts';
import { listen } from './listen.ts';
import { factsOfNics, leasedTo, neighboursOn, rivalsOn, stateOf } from './local.ts';
import { outlineOf } from './outline.ts';
import { type Hearing, overheard } from './overheard.ts';
import { planOf } from './plan.ts';
import { type Looked, standing } from './standing.ts';

/** How long all tools together may take, in milliseconds. */
const LIMIT = 15_000;

/**
 * Listens only if what stands doesn't explain anything: that takes three seconds.
 * @throws Refusal if there is no such domain, if libvirt, hnet.toml or the uplink can't be read, or if a tool hangs
 */
export function gatherReach(name: string, context: Context): ReachFacts {
  const { config } = context;
  const host = context.host.within(LIMIT);
  const all = withLibvirt(libvirt => libvirt.domains());
  const known = pick(all, name);
  const { domain, active } = known;
  const outline = outlineOf(known, all, stateOf(domain.uuid, active, host));
  if (!active || addressesOf(domain).length === 0) return outline;
  const looked = lookAt(domain, survey(listRunning(), config(), host), host);
  const facts = standing(outline, looked);
  if (explainStanding(facts).length > 0) return facts;
  const { found, attachment } = looked;
  return overheard(facts, { ...found, attachment }, hear(looked, host));
}

function lookAt(domain: Domain, found: Survey, host: Host): Looked {
  const attachment = found.kept.find(one => one.attachment.domain === domain.uuid)?.attachment;
  const macs = domain.nics.map(({ mac }) => mac);
  const bridges = bridgesOf(domain);
  return {
    domain,
    found,
    attachment,
    nics: factsOfNics(domain, found.view),
    leases: new Map(bridges.map(bridge => [bridge, leasedTo(bridge, macs)])),
    rivals: rivalsOn(bridges, host),
    kernel: verdicts(attachment, found, host),
  };
}

const bridgesOf = (domain: Domain): string[] => [...new Set(addressesOf(domain).map(({ bridge }) => bridge))];

function hear({ domain, found, leases }: Looked, host: Host): Hearing {
  const neighbours = neighboursOn(bridgesOf(domain), host);
  const candidates = new Map(
    [...leases].map(([bridge, leased]) => [
      bridge,
      [...leased, ...(neighbours.get(bridge) ?? []), ...mistakable(found)],
    ]),
  );
  const plan = planOf(domain, found, candidates, process.pid & 0xffff);
  const listening = listen(plan);
  const after = look(host, found.firewall.looks.all);
  return { plan, listening, after, exceeded: exceeded(bridgesOf(domain), found, after, host) };
}

/** Addresses that somebody may have configured by mistake: those beside the right one. */
const mistakable = ({ config: { pools } }: Survey): Prefix[] =>
  pools.filter(({ family, length }) => family === 4 && length >= 28).flatMap(pool => [...addresses(pool)]);

/** Asked whatever else is wrong with the domain: that needn't be the cause. */
function verdicts(
  attachment: Attachment | undefined,
  found: Survey,
  host: Host,
): ReadonlyMap<string, AddressFacts['kernel']> {
  if (attachment === undefined) return new Map();
  const all = unserved([attachment], { ...found, others: peerAddresses(found.config) }, host);
  return new Map(
    attachment.addresses.map(({ prefix }) => [
      format(prefix),
      all.filter(({ address }) => contains(prefix, address)).map(({ cause }) => cause),
    ]),
  );
}
