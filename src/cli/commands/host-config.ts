import { hostname } from 'node:os';
import { knownPeers } from '../../cluster/peers.ts';
import { ownName, wireAddresses } from '../../cluster/self.ts';
import { type ConfigFile, printFiles } from '../../guest/file.ts';
import { pickFormat } from '../../guest/formats.ts';
import { HOST_FORMATS, hostNetwork } from '../../guest/host-network.ts';
import type { StaticNetwork } from '../../guest/network.ts';
import { ROUTING_FORMATS } from '../../guest/routing/formats.ts';
import type { Routing } from '../../guest/routing/routing.ts';
import { describeUplink, uplinkFaults } from '../../guest/uplink-faults.ts';
import { familiesIn } from '../../host/choose-backend.ts';
import type { Context } from '../../host/context.ts';
import { observeUplinks } from '../../host/observe/uplink.ts';
import { observeUplinkFacts } from '../../host/observe/uplink-facts.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { format } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { CONFIG_FILE } from '../../model/names.ts';
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

/** Prints a configuration for this host's uplink, or for what carries routes to other hosts; or says where the running one differs from it. */
export function hostConfig(
  { format: name, check }: { format?: string; check?: boolean },
  context: Context,
): void {
  if (check === true) {
    checkUplinks(context);
    return;
  }
  const files = filesIn(name, context);
  context.answer({ files });
  context.print(printFiles(files).trimEnd());
}

function filesIn(name: string | undefined, context: Context): readonly ConfigFile[] {
  const routing =
    name !== undefined && Object.hasOwn(ROUTING_FORMATS, name) ? ROUTING_FORMATS[name] : undefined;
  if (routing !== undefined) return routing(routingOf(context.config(), context));
  const print = pickFormat(HOST_FORMATS, name, Object.keys(ROUTING_FORMATS));
  return print(uplinkNetwork(context));
}

function uplinkNetwork(context: Context): StaticNetwork {
  const config = context.config();
  refuseSeveral(observeUplinks(context.host, config));
  const { dns, domain } = config.dhcp;
  return hostNetwork(observeUplinkFacts(context.host, config), { hostname: hostname(), dns, search: domain });
}

/** Says where the uplinks as they run differ from what is printed. */
function checkUplinks(context: Context): void {
  const config = context.config();
  // A family without a pool is none of our business.
  const families = familiesIn(config.pools);
  const used = observeUplinkFacts(context.host, config).filter(({ family }) => families.includes(family));
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

/** What the routing daemon of this host must be told, with the peers that are known. */
function routingOf(config: Config, { host }: Context): Routing {
  const { cluster, pools } = config;
  if (cluster === undefined)
    throw new Refusal(
      `Cannot print what carries routes between hosts: ${CONFIG_FILE} has no table [cluster]; docs/cluster.md begins with it`,
    );
  const { view, uplinks } = readNetworkWithUplinks(host, config);
  const addresses = wireAddresses(cluster, view);
  if (addresses.length === 0)
    throw new Refusal(
      `Cannot print what carries routes between hosts: ${cluster.wire} has no address; give it one, or name it under "address" in [cluster]`,
    );
  return {
    cluster: cluster.name,
    host: ownName(cluster),
    wire: cluster.wire,
    addresses,
    peers: knownPeers(cluster),
    reflectors: cluster.reflectors,
    pools,
    uplinks,
    isUpstream: cluster.announce === 'bgp',
  };
}
