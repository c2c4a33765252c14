import { announcement } from '../../doctor/questions.ts';
import type { Context } from '../../host/context.ts';
import { observeLinks } from '../../host/observe/start.ts';
import { waitFor } from '../../host/wait.ts';
import { Wire } from '../../host/wire.ts';
import { parsePrefix } from '../../model/address.ts';
import { addresses } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';

/** As often as RFC 4861 allows (7.2.6), for a frame may be lost; in milliseconds. */
const [TIMES, PAUSE] = [3, 200];

/**
 * Tells the wire of an uplink that this host answers for addresses from now on. A gateway may otherwise go on sending to
 * whoever had them before, for as long as it remembers. What brings up an address starts this, and doesn't wait for it.
 */
export function announce(device: string, prefixes: readonly string[], { host }: Context): void {
  const fromMac = observeLinks(host, [device]).get(device)?.mac;
  if (fromMac === undefined)
    throw new Refusal(`Cannot announce anything on ${device}: there is no such interface`);
  const wire = Wire.open(device);
  try {
    for (let time = 0; time < TIMES; time++) {
      if (time > 0) waitFor(() => false, PAUSE);
      for (const prefix of prefixes)
        for (const source of addresses(parsePrefix(prefix))) wire.send(announcement({ fromMac, source }));
    }
  } finally {
    wire.close();
  }
}
