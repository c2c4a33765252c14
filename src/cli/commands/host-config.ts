import { hostname } from 'node:os';
import { printFiles } from '../../guest/file.ts';
import { pickFormat } from '../../guest/formats.ts';
import { HOST_FORMATS, hostNetwork } from '../../guest/host-network.ts';
import { describeUplink, uplinkFaults } from '../../guest/uplink-faults.ts';
import { familiesIn } from '../../host/choose-backend.ts';
import type { Context } from '../../host/context.ts';
import { observeUplinks } from '../../host/observe/uplink.ts';
import { observeUplinkFacts } from '../../host/observe/uplink-facts.ts';
import { format } from '../../model/address.ts';
import { Refusal } from '../../model/refusal.ts';
import type { UplinkFacts, Uplinks } from '../../model/uplink.ts';
import { EXIT } from '../exit-codes.ts';

/** A default route over several interfaces is in nobody's format but ifupdown's `up`, and with BGP in no file at all. */
function refuseSeveral(uplinks: Uplinks): void {
  const devices = uplinks.filter(({ way }) => way === 0).map(({ device }) => device);
  if (devices.length > 1)
    throw new Refusal(
      `Cannot print the uplink: ${devices.join(' and ')} share the default route, and hnet prints one interface; "Several interfaces" in docs/providers.md shows the files of such a host`,
    );
}

/** Prints a configuration for this host's uplink, or says where the running one differs from it. */
export function hostConfig(
  { format: name, check }: { format?: string; check?: boolean },
  context: Context,
): void {
  const print = check === true ? undefined : pickFormat(HOST_FORMATS, name);
  const config = context.config();
  if (print !== undefined) refuseSeveral(observeUplinks(context.host, config));
  const facts = observeUplinkFacts(context.host, config);
  if (print !== undefined) {
    const { dns, domain } = config.dhcp;
    const network = hostNetwork(facts, { hostname: hostname(), dns, search: domain });
    const files = print(network);
    context.answer({ files });
    context.print(printFiles(files).trimEnd());
    return;
  }
  // A family without a pool is none of our business.
  const families = familiesIn(config.pools);
  const used = facts.filter(({ family }) => families.includes(family));
  const faults = used.flatMap(uplinkFaults);
  context.answer({ faults, uplinks: used.map(answerOf) });
  for (const fault of faults) context.print(fault);
  if (faults.length > 0) process.exitCode = EXIT.found;
  else for (const fact of used) context.print(`${describeUplink(fact)}: as it should be`);
}

const answerOf = ({ device, family, address, gateway }: UplinkFacts) => ({
  device,
  family,
  address: format(address),
  gateway: gateway === undefined ? null : format(gateway),
});
