/** Chooses the network interface of a domain that carries its address, and how that changes the domain. */
import { type Domain, type Nic, nicOn } from '../model/domain.ts';
import { digest } from '../model/names.ts';
import { quote, Refusal } from '../model/refusal.ts';
import { serialize } from '../model/xml.ts';
import { onBridge } from './bridge-nic.ts';
import type { Affects, Connection } from './connection.ts';

export type NicChange =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'update' | 'attach';
      readonly device: string;
      readonly mac: string;
      /** What it can't have on a bridge, in words of the XML. */
      readonly lost: readonly string[];
    };

/**
 * Decides how a domain gets onto a bridge. An interface that is on it stays, if libvirt can start it there; else the only
 * one, or that with `mac`, moves to it. A domain without interfaces gets one.
 * @param other the domain's other description, that of its next start or of its run: what is on the bridge there comes back
 * @throws Refusal if it isn't clear which, or it can't be on a bridge
 */
export function changeNic(
  domain: Domain,
  bridge: string,
  mac: string | undefined,
  other: Domain | undefined,
): NicChange {
  const { nics } = domain;
  const there = nicOn(domain, bridge);
  if (there !== undefined && (mac === undefined || there.mac === mac)) {
    const cleaned = update(there, bridge);
    return cleaned.lost.length === 0 ? { kind: 'none' } : cleaned;
  }
  const twin = mac === undefined && other !== undefined ? nicOn(other, bridge) : undefined;
  if (twin !== undefined) return restore(nics, other?.nics ?? [], twin, bridge);
  if (nics.length === 0 && mac === undefined) return newNic(domain.uuid, bridge);
  return update(chooseNic(nics, mac), bridge);
}

/** The same interface as in the other description; one that only this description has may have taken its place. */
function restore(nics: readonly Nic[], others: readonly Nic[], twin: Nic, bridge: string): NicChange {
  const same = nics.find(({ mac }) => mac === twin.mac);
  if (same !== undefined) return update(same, bridge);
  const own = nics.filter(({ mac }) => !others.some(other => other.mac === mac));
  if (own.length > 0) return update(chooseNic(own, undefined), bridge);
  // Its place may have been taken meanwhile.
  return put('attach', twin, bridge, ['address']);
}

function chooseNic(nics: readonly Nic[], mac: string | undefined): Nic {
  const [choice, ...others] = mac === undefined ? nics : nics.filter(nic => nic.mac === mac);
  if (choice !== undefined && (mac !== undefined || others.length === 0)) return choice;
  const macs = nics.map(nic => nic.mac).join(', ') || 'none';
  if (mac !== undefined)
    throw new Refusal(`Cannot use --nic ${quote(mac)}: the domain's interfaces are ${macs}`);
  throw new Refusal(
    `Cannot choose among ${nics.length} network interfaces (${macs}): say which with --nic MAC, or --no-nic`,
  );
}

type Put = Exclude<NicChange, { kind: 'none' }>;

function put(kind: Put['kind'], nic: Nic, bridge: string, less: readonly string[] = []): Put {
  const { element, lost } = onBridge(nic, bridge, less);
  return { kind, device: serialize(element), mac: nic.mac, lost };
}

const update = (nic: Nic, bridge: string): Put => put('update', nic, bridge);

/** We set the MAC, or libvirt would make up one for the running domain and another for its next start. */
function newNic(domain: string, bridge: string): NicChange {
  const octets = digest(`${domain} ${bridge}`).match(/../g) ?? [];
  const mac = ['52:54:00', ...octets.slice(0, 3)].join(':');
  const device = `<interface type="bridge"><mac address="${mac}"/><source bridge="${bridge}"/><model type="virtio"/></interface>`;
  return { kind: 'attach', device, mac, lost: [] };
}

/** The domain as it will be once its interface has moved to a bridge. */
export function plugged(domain: Domain, change: NicChange, bridge: string): Domain {
  if (change.kind === 'none') return domain;
  const moved = { mac: change.mac, type: 'bridge', source: bridge };
  const element = { name: 'interface', namespace: '', attributes: new Map<string, string>(), children: [] };
  const nics =
    change.kind === 'attach'
      ? [...domain.nics, { ...moved, tap: undefined, isOff: false, element }]
      : domain.nics.map(nic => (nic.mac === change.mac ? { ...nic, ...moved } : nic));
  return { ...domain, nics };
}

/** @throws Refusal with libvirt's words */
export function changeDevice(libvirt: Connection, uuid: string, change: NicChange, affects: Affects): void {
  if (change.kind === 'attach') libvirt.attachDevice(uuid, change.device, affects);
  if (change.kind !== 'update') return;
  try {
    libvirt.updateDevice(uuid, change.device, affects);
  } catch (error) {
    // libvirt can't make a tap of what runs as another kind of interface.
    if (affects === 'config' || !(error instanceof Refusal)) throw error;
    throw new Refusal(`${error.message}; shut the domain down first, then assign`);
  }
}
