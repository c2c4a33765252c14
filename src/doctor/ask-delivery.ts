/** Finds out on the wire how the provider hands over an address. */
import type { Host } from '../host/host.ts';
import { observeLinks } from '../host/observe/start.ts';
import { waitFor } from '../host/wait.ts';
import { Wire } from '../host/wire.ts';
import { format, parseSubnet } from '../model/address.ts';
import { isLinkLocal, isSingle, nth, overlaps, type Prefix, size } from '../model/prefix.ts';
import { ifPossible } from '../model/refusal.ts';
import type { Uplink } from '../model/uplink.ts';
import type { Delivered, Devices } from './delivered.ts';
import { type Message, readFrame } from './frames.ts';
import { ping } from './questions.ts';

/**
 * Pings the gateway from an address that nobody holds, by a frame past the host's own addresses, so that nothing on the
 * host changes. Nobody answers for the address: the gateway's answer arrives only if the provider routes it here.
 * @param devices the interface to ask by, and those that share its way: by any of them the answer may come
 * @returns undefined where that can't be found out: the gateway answers no ping of the host's own either, or no raw
 * socket can be had
 */
export function askDelivery(
  host: Host,
  source: Prefix,
  gateway: Prefix,
  devices: Devices,
): Delivered | undefined {
  const [device, ...others] = devices;
  const gatewayMac = macOf(host, gateway, device);
  const fromMac = observeLinks(host, [device]).get(device)?.mac;
  if (gatewayMac === undefined || fromMac === undefined) return undefined;
  const wire = ifPossible(() => Wire.open(device));
  if (wire === undefined) return undefined;
  const wires = [wire, ...others.flatMap(one => ifPossible(() => Wire.open(one)) ?? [])];
  const request = ping({ fromMac, source }, gatewayMac, gateway, process.pid & 0xffff);
  const address = format(source);
  let seen: Delivered = 'lost';
  const isOver = (): boolean => {
    for (const { bytes, out } of wires.flatMap(one => [...one.received()])) {
      const message = out ? undefined : readFrame(bytes);
      if (message?.is === 'pong' && message.destination === address) seen = 'arrives';
      if (seen === 'lost' && isSearch(message, address)) seen = 'sought';
    }
    return seen === 'arrives';
  };
  try {
    for (let attempt = 0; attempt < ATTEMPTS && seen === 'lost'; attempt++) {
      wire.send(request);
      waitFor(isOver, WAIT);
    }
    return seen;
  } finally {
    for (const one of wires) one.close();
  }
}

const isSearch = (message: Message | undefined, address: string): boolean =>
  message?.is === 'question' && message.target === address;

/** So many requests, and how long each waits for its answer, in milliseconds. */
const ATTEMPTS = 3;
const WAIT = 1000;

/** The gateway's MAC, if it answers an ordinary ping; with that the kernel finds it out. */
function macOf(host: Host, gateway: Prefix, device: string): string | undefined {
  const family = `-${gateway.family}`;
  const target = isLinkLocal(gateway) ? `${format(gateway)}%${device}` : format(gateway);
  const answer = host.output(['ping', family, '-n', '-q', '-c', '1', '-w', '2', target]);
  if (gateway.family === 4 && answer === '') return undefined;
  const shown = host.output(['ip', family, 'neigh', 'show', format(gateway), 'dev', device]);
  return / lladdr ([\da-f:]{17})/.exec(shown)?.[1];
}

/** The subnet of an interface that a pool lies on. Of IPv4: an IPv6 pool usually is the uplink's own subnet. */
export const subnetAround = (pool: Prefix, addresses: readonly string[]): Prefix | undefined =>
  addresses.map(parseSubnet).find(one => one.family === 4 && !isSingle(one) && overlaps(pool, one));

/** What to ask with: candidates from the end of a pool, where addresses are assigned last; the very last may be a broadcast address. */
export const candidatesIn = (pool: Prefix): Prefix[] =>
  isSingle(pool) ? [pool] : [2n, 3n, 4n, 5n].filter(n => n < size(pool)).map(n => nth(pool, size(pool) - n));

/** An uplink's interface, and those that share its way. */
export const devicesBeside = ({ device, way }: Uplink, uplinks: readonly Uplink[]): Devices => [
  device,
  ...uplinks.filter(one => one.way === way && one.device !== device).map(one => one.device),
];
