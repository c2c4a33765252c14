/** Chooses the network interface of a domain that carries its address, and how that changes the domain. */
import type { Domain, Nic } from '../model/domain.ts';
import { digest } from '../model/names.ts';
import { quote, Refusal } from '../model/refusal.ts';
import { type Element, serialize } from '../model/xml.ts';

export type NicChange =
  | { readonly kind: 'none' }
  | { readonly kind: 'update'; readonly device: string; readonly mac: string }
  | { readonly kind: 'attach'; readonly device: string; readonly mac: string };

/**
 * Decides how a domain gets onto a bridge. An interface that is on it stays; else the only one, or that with `mac`,
 * moves to it. A domain without interfaces gets one. @throws Refusal if it isn't clear which
 */
export function changeNic(domain: Domain, bridge: string, mac: string | undefined): NicChange {
  const { nics } = domain;
  const there = nics.find(nic => nic.type === 'bridge' && nic.source === bridge);
  if (there !== undefined && (mac === undefined || there.mac === mac)) return { kind: 'none' };
  if (nics.length === 0 && mac === undefined) return newNic(domain.uuid, bridge);
  return update(chooseNic(nics, mac), bridge);
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

/** Elements that belong to the old kind of source and would contradict the new one. */
const DROPPED = ['source', 'virtualport', 'portForwarding', 'backend', 'ip', 'route', 'alias', 'target'];

/** The same interface with the bridge as its source; MAC, model, address and boot order stay as they are. */
function update(nic: Nic, bridge: string): NicChange {
  const kept = nic.element.children.filter(
    child => typeof child === 'string' || !DROPPED.includes(child.name),
  );
  const source = { name: 'source', namespace: '', attributes: new Map([['bridge', bridge]]), children: [] };
  const element: Element = {
    ...nic.element,
    attributes: new Map([...nic.element.attributes, ['type', 'bridge']]),
    children: [...kept, source],
  };
  return { kind: 'update', device: serialize(element), mac: nic.mac };
}

/** We set the MAC, or libvirt would make up one for the running domain and another for its next start. */
function newNic(domain: string, bridge: string): NicChange {
  const octets = digest(`${domain} ${bridge}`).match(/../g) ?? [];
  const mac = ['52:54:00', ...octets.slice(0, 3)].join(':');
  const device = `<interface type="bridge"><mac address="${mac}"/><source bridge="${bridge}"/><model type="virtio"/></interface>`;
  return { kind: 'attach', device, mac };
}

/** The domain as it will be once its interface has moved to a bridge. */
export function plugged(domain: Domain, change: NicChange | undefined, bridge: string): Domain {
  if (change === undefined || change.kind === 'none') return domain;
  const moved = { mac: change.mac, type: 'bridge', source: bridge };
  const element = { name: 'interface', namespace: '', attributes: new Map<string, string>(), children: [] };
  const nics =
    change.kind === 'attach'
      ? [...domain.nics, { ...moved, tap: undefined, element }]
      : domain.nics.map(nic => (nic.mac === change.mac ? { ...nic, ...moved } : nic));
  return { ...domain, nics };
}
