/** Gathers what the checks look at, once. */
import { statSync } from 'node:fs';
import { peerAddresses } from '../cluster/around.ts';
import { knownPeers } from '../cluster/peers.ts';
import { ownRecord } from '../cluster/record.ts';
import { type Drops, sharedDrops } from '../firewall/rules/drops.ts';
import { chooseFirewall } from '../host/choose-backend.ts';
import { readIfThere } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { observeForeign } from '../host/observe/foreign.ts';
import { readIpsec } from '../host/observe/ipsec.ts';
import { look, sysctl } from '../host/observe/parts.ts';
import { observeUplinks } from '../host/observe/uplink.ts';
import { observeUplinkFacts } from '../host/observe/uplink-facts.ts';
import { readNetwork, readPolicy } from '../host/observe/view.ts';
import { hostUuid } from '../libvirt/host-uuid.ts';
import { withLibvirt } from '../libvirt/libvirt.ts';
import type { Config } from '../model/config.ts';
import { DEFAULT_CONFIG } from '../model/parse-config.ts';
import { ifPossible, Refusal, reason } from '../model/refusal.ts';
import type { Unserved } from '../model/unserved.ts';
import type { Uplinks } from '../model/uplink.ts';
import { ownVersion } from '../model/version.ts';
import { EMPTY_VIEW, type View } from '../model/view.ts';
import { unserved } from '../repair/served.ts';
import { isRejected, loadConfig, readConfigText } from '../state/config-file.ts';
import { readAttachments } from '../state/records.ts';
import { askDelivery } from './ask-delivery.ts';
import { type Facts, type File, type Known, knownValue } from './facts.ts';

export function gather(host: Host): Facts {
  const config = known(() => loadConfig());
  const written = knownValue(config) ?? DEFAULT_CONFIG;
  const given = withoutMemory(written);
  const { seen, unseen } = looking();
  const network = seen('the links, addresses and routes of this host', () => readNetwork(host), EMPTY_VIEW);
  const policy = seen('the rules that choose routes', () => readPolicy(host), { rules: [], own: [] });
  const uplinks = known(() => observeUplinks(host, given));
  const strangers = observeForeign(host, chooseFirewall(written));
  /** What nobody can tell without the uplinks. */
  const by = <T>(what: string, read: (ways: Uplinks) => T, nothing: T): T =>
    uplinks.is === 'unknown' ? nothing : seen(what, () => read(uplinks.value), nothing);
  const view = { ...network, policy, filter: { ...EMPTY_VIEW.filter, foreign: strangers } };
  return {
    config,
    isRejected: knownValue(known(() => isRejected(readConfigText()))) === true,
    uplinks,
    configured: known(() => observeUplinkFacts(host, given)),
    network,
    policy,
    unseen,
    unserved: by(
      'what the kernel would do with packets',
      ways => readUnserved(view, ways, written, host),
      [],
    ),
    cluster: readCluster(written, host),
    strangers,
    drops: by<Facts['drops']>(
      'what the filter has dropped',
      ways => readDrops(written, ways, host),
      new Map(),
    ),
    domains: known(() => withLibvirt(libvirt => libvirt.domains())),
    file,
    delivered: (...question) => askDelivery(host, ...question),
    output: (...argv) => host.output(argv),
  };
}

/** Of what stands only the interface counts: it is asked whether the rest is still true. */
const withoutMemory = (config: Config): Config => ({
  ...config,
  inForce: config.inForce.map(({ device, mtu }) => ({ ...UNTOLD, device, mtu })),
});

/** What can't be looked at is taken for nothing, and told. */
function looking() {
  const unseen: Facts['unseen'][number][] = [];
  const seen = <T>(what: string, read: () => T, nothing: T): T => {
    const found = known(read);
    if (found.is === 'known') return found.value;
    unseen.push({ what, why: found.why });
    return nothing;
  };
  return { seen, unseen };
}

/** Of what stands only the interface counts. */
const UNTOLD = { host: undefined, gateway: undefined, gateway6: undefined };

function readCluster(config: Config, host: Host): Facts['cluster'] {
  const { cluster } = config;
  if (cluster === undefined) return { self: { is: 'unknown', why: 'this host is alone' }, peers: [] };
  const about = { uuid: hostUuid(host), version: ownVersion() };
  return { self: known(() => ownRecord(config, cluster, about, host)), peers: knownPeers(cluster) };
}

function readDrops(config: Config, uplinks: Uplinks, host: Host): Drops {
  const firewall = chooseFirewall(config);
  return sharedDrops(config, uplinks, firewall, look(host, firewall.looks.brief));
}

/** Of running domains; what else is wrong with them is for `hnet check` to say. */
function readUnserved(
  network: Pick<View, 'links' | 'addresses' | 'routes' | 'policy' | 'filter'>,
  uplinks: Uplinks,
  config: Config,
  host: Host,
): readonly Unserved[] {
  const configured = [...network.routes.values()];
  const view = { ...EMPTY_VIEW, ...network, configured, ipsec: readIpsec(host), sysctl };
  return unserved(readAttachments(), { view, uplinks, others: peerAddresses(config) }, host);
}

function known<T>(read: () => T): Known<T> {
  try {
    return { is: 'known', value: read() };
  } catch (error) {
    if (error instanceof Refusal) return { is: 'unknown', why: reason(error) };
    throw error;
  }
}

function file(path: string): File | undefined {
  const status = ifPossible(() => statSync(path));
  if (status === undefined) return undefined;
  const { mode, uid: owner, ctimeMs } = status;
  const text = status.isFile() ? (readIfThere(path) ?? '') : '';
  return { text, mode, owner, since: ctimeMs / 1000, isRegular: status.isFile() };
}
