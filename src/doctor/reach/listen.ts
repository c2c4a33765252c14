/** Asks and listens on the wires of a domain. */
import { waitFor } from '../../host/wait.ts';
import { Wire } from '../../host/wire.ts';
import { Refusal, reason } from '../../model/refusal.ts';
import { readFrame, senderOf } from '../frames.ts';
import type { Listened } from './hearing.ts';
import { due } from './probes.ts';
import type { Plan, Sighting } from './wires.ts';

/** How long is listened, in milliseconds: a gateway that looks for an address asks once a second. */
const LISTENING = 3000;
/** When questions are asked, in milliseconds since the beginning; what was answered isn't asked again. */
const ROUNDS = [0, 100, 400, 800, 1400, 2000];
/** More frames than any verdict needs. */
const ENOUGH = 5000;

export function listen(plan: Plan): Listened {
  const wires = new Map<string, Wire>();
  const deaf = new Map<string, string>();
  for (const { device } of [...plan.uplinks, ...plan.bridges])
    try {
      wires.set(device, Wire.open(device));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      deaf.set(device, reason(error));
    }
  try {
    return { ...converse(plan, wires), deaf };
  } finally {
    for (const wire of wires.values()) wire.close();
  }
}

/** Asks in rounds, and takes down what is said meanwhile. */
function converse(plan: Plan, wires: ReadonlyMap<string, Wire>): Omit<Listened, 'deaf'> {
  const seen: Sighting[] = [];
  const begin = Date.now();
  const since = (): number => Date.now() - begin;
  for (const round of ROUNDS.keys()) {
    for (const { device, bytes } of due(plan, seen)) wires.get(device)?.send(bytes);
    waitFor(() => {
      drain(wires, seen, since());
      return since() >= (ROUNDS[round + 1] ?? LISTENING);
    }, LISTENING);
  }
  return { seen, until: since() };
}

function drain(wires: ReadonlyMap<string, Wire>, seen: Sighting[], at: number): void {
  for (const [device, wire] of wires)
    for (const { bytes, out } of wire.received()) {
      const message = readFrame(bytes);
      if (message !== undefined && seen.length < ENOUGH)
        seen.push({ device, out, mac: senderOf(bytes), at, message });
    }
}
