import type { Machine } from '../lab/machine.ts';

/** One UDP flow, or 30,000 (RFC 2544 asks for many, for caches and connection tracking hide behind one). */
export type Flows = 'one flow' | '30,000 flows';

/** 64 bytes on the wire: 60, and the checksum that a virtual cable doesn't carry. */
const packet = (destinationMac: string, destination: string, flows: Flows): string => `{
  eth(da=${destinationMac}, sa=52:54:00:00:00:99, proto=0x0800),
  ipv4(id=1, ttl=64, proto=17, sa=123.45.200.10, da=${destination}),
  udp(sp=${flows === 'one flow' ? '1024' : 'dinc(1024, 31023)'}, dp=9),
  fill('A', 18)
}
`;

/** Packets that the generator sent, those that arrived, and the processor time that all of it took, in seconds. */
export interface Pumped {
  readonly sent: number;
  readonly received: number;
  readonly cpu: number;
}

/**
 * Sends packets from a machine for half a second as fast as one processor can, and counts what arrives.
 *
 * A virtual cable has no queue: the sender's own system call carries a packet through the host to its destination.
 * So the processor time of the generator is that of the whole way, and unlike the time on the wall it doesn't
 * include other work of the machine.
 * @param device the cable to send into
 */
export async function pump(
  sender: Machine,
  device: string,
  to: { mac: string; address: string },
  flows: Flows,
  received: () => Promise<number>,
): Promise<Pumped> {
  const file = `/run/${device}.trafgen`;
  await sender.write(file, packet(to.mac, to.address, flows));
  const generate = `timeout -s INT 0.5 trafgen --in ${file} --out ${device} --cpus 1 || [ $? = 124 ]`;
  const before = await received();
  const script = `TIMEFORMAT='cpu %U %S'; time { ${generate}; } 2>&1`;
  const output = await sender.run(['bash', '-c', `{ ${script}; } 2>&1`]);
  const after = await received();
  const [, sent] = /(\d+) packets outgoing/.exec(output) ?? [];
  const [, user, system] = /^cpu (\S+) (\S+)$/m.exec(output) ?? [];
  if (sent === undefined || user === undefined) throw new Error(`Cannot send packets:\n${output}`);
  return { sent: Number(sent), received: after - before, cpu: Number(user) + Number(system) };
}

/** What one packet costs, in microseconds of processor time. */
export function costOf({ sent, received, cpu }: Pumped): number {
  if (received < sent * 0.99) throw new Error(`Cannot count packets: ${received} of ${sent} arrived`);
  return (cpu / received) * 1e6;
}
