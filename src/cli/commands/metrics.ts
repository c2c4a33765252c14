import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { heldElsewhere } from '../../assign/elsewhere.ts';
import { apartOf } from '../../cluster/apart.ts';
import type { Context } from '../../host/context.ts';
import { PUBLIC_FILE, writeAtomically } from '../../host/files.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { type KnownDomain, withLibvirt } from '../../libvirt/libvirt.ts';
import { Refusal, reason, UsageRefusal } from '../../model/refusal.ts';
import { ownVersion } from '../../model/version.ts';
import { allFaults } from '../../repair/all-faults.ts';
import { listRunning } from '../../repair/listing.ts';
import { settledSurvey } from '../../repair/survey.ts';
import { newerAccounts } from '../../state/ledger.ts';
import { EXIT } from '../exit-codes.ts';
import { exposition, type Metric, type Sample } from '../metrics/exposition.ts';
import { faultMetrics } from '../metrics/faults.ts';
import { poolMetrics } from '../metrics/pools.ts';
import { repairMetrics } from '../metrics/repairs.ts';
import { ruleMetrics } from '../metrics/rules.ts';
import { tableMetrics } from '../metrics/tables.ts';
import { trafficMetrics } from '../metrics/traffic.ts';
import { countersOf } from '../views/counters.ts';
import { poolUses } from '../views/host.ts';

interface MetricsOptions {
  /** The file that node_exporter reads; otherwise standard output. */
  readonly textfile?: string;
}

/** Prints all metrics for Prometheus. What a collector can't read is missing, and another metric says so. */
export function metrics({ textfile }: MetricsOptions, context: Context): void {
  if (textfile !== undefined) refuseUnread(textfile);
  const text = exposition(collect(context));
  if (textfile === undefined) context.print(text.trimEnd());
  else write(textfile, text);
}

/** What node_exporter would never read, it would be long missed. */
function refuseUnread(file: string): void {
  if (!file.endsWith('.prom'))
    throw new UsageRefusal(`Cannot write ${file}: node_exporter reads only names that end in .prom`);
  if (statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Refusal(
      `Cannot write ${file}: there is no directory ${dirname(file)}; install node_exporter (apt-get install prometheus-node-exporter), or name its directory`,
    );
}

function write(file: string, text: string): void {
  // Whoever calls it may have another: node_exporter isn't root.
  process.umask(0o022);
  try {
    writeAtomically(file, text, PUBLIC_FILE);
  } catch (error) {
    throw new Refusal(`Cannot write ${file}: ${reason(error)}; mend that`);
  }
}

type Collector = (context: Context, domains: () => readonly KnownDomain[]) => Metric[];

const COLLECTORS: Readonly<Record<string, Collector>> = {
  traffic: (context, domains) => {
    for (const why of newerAccounts()) context.warn(why);
    const { addresses, drops } = countersOf(domains(), context);
    return trafficMetrics(addresses, drops);
  },
  pools: (context, domains) => {
    const config = context.config();
    const seen = readNetworkWithUplinks(context.host, config);
    return poolMetrics(poolUses(config, domains(), seen, heldElsewhere(context)).pools);
  },
  faults: ({ host, config }) => {
    const listing = listRunning();
    const { running, why } = listing;
    if (running === undefined) throw new Refusal(`Cannot see which domains run: ${why}; see: hnet doctor`);
    const found = settledSurvey(listing, config(), host);
    return faultMetrics(running, allFaults(listing, found, apartOf(config(), host)));
  },
  rules: ({ host, config }, domains) => ruleMetrics(domains(), config(), host),
  repairs: () => repairMetrics(),
  tables: ({ host }) => tableMetrics(host),
};

function collect(context: Context): Metric[] {
  let asked: readonly KnownDomain[] | undefined;
  const domains = () => {
    asked ??= withLibvirt(libvirt => libvirt.domains());
    return asked;
  };
  const found: Metric[] = [];
  const success = Object.entries(COLLECTORS).map(([collector, read]): Sample => {
    try {
      found.push(...read(context, domains));
      return [{ collector }, 1];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      context.warn(`no metrics of ${collector}: ${reason(error)}`);
      process.exitCode = EXIT.failed;
      return [{ collector }, 0];
    }
  });
  return [
    {
      name: 'hnet_build_info',
      type: 'gauge',
      help: 'The versions of hnet and of the Node.js that runs it; always 1.',
      samples: [[{ version: ownVersion(), node: process.versions.node }, 1]],
    },
    {
      name: 'hnet_collector_success',
      type: 'gauge',
      help: 'Whether these metrics could be read: 1, or else 0.',
      samples: success,
    },
    ...found,
  ];
}
