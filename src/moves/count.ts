/**
 * Adds up a domain's traffic when it leaves. What this host relays for it afterwards is counted at the new host, so its release
 * adds nothing.
 */
import type { Look } from '../firewall/rules/backend.ts';
import { firewallFor } from '../host/choose-backend.ts';
import { CommandFailure } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { printedLater } from '../host/later.ts';
import { look } from '../host/observe/parts.ts';
import type { Attachment } from '../model/attachment.ts';
import { publicOf } from '../model/bridge.ts';
import type { FilterView } from '../model/view.ts';
import { addUp } from '../state/ledger.ts';

/** @throws CommandFailure if the filter can't be read */
export function countNow(attachment: Attachment, host: Host): void {
  add(attachment, look(host, lookFor(attachment)));
}

/** The same while this process goes on. It rejects with a CommandFailure. */
export async function countSoon(attachment: Attachment): Promise<void> {
  const { commands, parse } = lookFor(attachment);
  const outputs = commands.map(async ({ argv, stdin, failsIfEmpty }) => {
    try {
      return await printedLater(argv, stdin);
    } catch (error) {
      if (failsIfEmpty && error instanceof CommandFailure) return '';
      throw error;
    }
  });
  add(attachment, parse(await Promise.all(outputs)));
}

const lookFor = (attachment: Attachment): Look =>
  firewallFor(attachment).counters(publicOf(attachment.addresses));

function add({ addresses, domain }: Attachment, filter: FilterView): void {
  for (const prefix of publicOf(addresses)) addUp(prefix, domain, filter, false);
}
