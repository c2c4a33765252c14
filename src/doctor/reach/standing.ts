/** Makes facts of what stands on the host, before anybody listens; pure. */

import { blockades } from '../../firewall/foreign/passages.ts';
import { format, parsePrefix } from '../../model/address.ts';
import type { Attachment } from '../../model/attachment.ts';
import { type Address, isPrivate } from '../../model/bridge.ts';
import { addressesOf, type Domain } from '../../model/domain.ts';
import type { Prefix } from '../../model/prefix.ts';
import { hostIn, hostOn, type Uplinks } from '../../model/uplink.ts';
import type { Checked } from '../../plan/walker.ts';
import type { Survey } from '../../repair/findings.ts';
import { whyOf } from '../../resources/resource.ts';
import type { AddressFacts, BridgeFacts, Drift, NicFacts, ReachFacts } from './facts.ts';
import { devicesOf, uplinksOfAll } from './plan.ts';

/** Everything that was looked at for one running domain. */
export interface Looked {
  readonly domain: Domain;
  readonly found: Survey;
  /** What is set up for it. */
  readonly attachment: Attachment | undefined;
  readonly nics: readonly NicFacts[];
  /** Bridge → what its server has leased to the domain, and who else may have its port. */
  readonly leases: ReadonlyMap<string, readonly Prefix[]>;
  readonly rivals: ReadonlyMap<string, string | null>;
  /** Address → why the kernel wouldn't serve it. */
  readonly kernel: ReadonlyMap<string, AddressFacts['kernel']>;
}

export function standing(outline: ReachFacts, looked: Looked): ReachFacts {
  const { domain, found, attachment, nics, kernel } = looked;
  const addresses = addressesOf(domain);
  const gateway = hostIn(found.uplinks);
  const inner = addresses.filter(isPrivate).map(({ prefix }) => format(prefix));
  const kept = found.kept.find(one => one.attachment === attachment);
  const bridges = new Map(addresses.map(one => [one.bridge, one]));
  return {
    ...outline,
    record: recordOf(domain.uuid, found),
    nics,
    drift: [...found.base, ...(kept?.wrong ?? [])].map(toDrift),
    addresses: outline.addresses.map(one => ({
      ...one,
      uplinks: devicesOf(parsePrefix(one.address), found.uplinks),
      ...(gateway &&
        one.family === 4 &&
        !inner.includes(one.address) && { gateways: [format(gateway), ...one.gateways] }),
      kernel: kernel.get(one.address) ?? [],
    })),
    bridges: [...bridges.values()].map(one => bridgeFacts(one, looked)),
    blockades: blockadesOf(addresses, found),
    uplinks: uplinksOfAll(addresses, found.uplinks).map(({ device, mtu, ...one }) => ({
      device,
      mtu,
      silent: [],
      own: hostOn(one).map(format),
    })),
  };
}

function recordOf(uuid: string, { lost, changed, unclear }: Survey): string | null {
  if (lost.some(({ domain }) => domain.uuid === uuid)) return 'nothing is set up for it';
  if (changed.some(({ domain }) => domain.uuid === uuid))
    return 'its assignment was changed while it ran, and what is set up is still the old one';
  return unclear.find(({ domain }) => domain?.uuid === uuid)?.why ?? null;
}

const toDrift = ({ resource: { key, label: what }, finding }: Checked): Drift => ({
  key,
  what,
  why: whyOf(finding),
  isForeign: finding.is === 'foreign',
});

function bridgeFacts({ bridge: name, scope }: Address, looked: Looked): BridgeFacts {
  const { found, attachment, leases, rivals } = looked;
  return {
    name,
    mtu: found.view.links.get(name)?.mtu ?? 0,
    uses: [],
    asksInVain: [],
    exceeds: [],
    talks: null,
    scope: format(scope),
    dhcp: {
      mode: attachment?.dhcp ?? found.config.dhcp.mode,
      asked: false,
      answered: false,
      leases: (leases.get(name) ?? []).map(format),
      rival: rivals.get(name) ?? null,
    },
  };
}

/**
 * Chains of others that drop what all domains need, or what these addresses do. For rules that name a bridge it is looked
 * at in the uplink's place.
 */
function blockadesOf(addresses: readonly Address[], { config, uplinks, firewall, view }: Survey): string[] {
  const own = {
    ...config,
    pools: addresses.map(({ prefix }) => prefix),
    dhcp: { ...config.dhcp, scopes: [] },
  };
  const [main] = uplinks;
  const bridges = addresses.map(({ bridge: device }): Uplinks => [{ ...main, device }]);
  const chains = [uplinks, ...bridges].flatMap(one => blockades(own, one, firewall, view));
  return [...new Set([...blockades(config, uplinks, firewall, view), ...chains])];
}
