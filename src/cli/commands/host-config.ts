import { hostname } from 'node:os';
import { printFiles } from '../../guest/file.ts';
import { pickFormat } from '../../guest/formats.ts';
import { describeUplink, HOST_FORMATS, hostNetwork, uplinkFaults } from '../../guest/host-network.ts';
import { familiesIn } from '../../host/choose-backend.ts';
import type { Context } from '../../host/context.ts';
import { observeUplinkFacts } from '../../host/observe/uplink-facts.ts';
import { EXIT } from '../exit-codes.ts';

/** Prints a configuration for this host's uplink, or says where the running one differs from it. */
export function hostConfig({ format, check }: { format?: string; check?: boolean }, context: Context): void {
  const print = check === true ? undefined : pickFormat(HOST_FORMATS, format);
  const config = context.config();
  const facts = observeUplinkFacts(context.host, config);
  if (print !== undefined) {
    const { dns, domain } = config.dhcp;
    const network = hostNetwork(facts, { hostname: hostname(), dns, search: domain });
    context.print(printFiles(print(network)).trimEnd());
    return;
  }
  // A family without a pool is none of our business.
  const families = familiesIn(config.pools);
  const used = facts.filter(({ family }) => families.includes(family));
  const faults = used.flatMap(uplinkFaults);
  for (const fault of faults) context.print(fault);
  if (faults.length > 0) process.exitCode = EXIT.found;
  else for (const fact of used) context.print(`${describeUplink(fact)}: as it should be`);
}
