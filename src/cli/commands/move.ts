import { pin } from '../../assign/allocate.ts';
import {
  attempt,
  changeAssignment,
  changing,
  liveAttachment,
  recordOf,
  restoreMetadata,
  warnOfRules,
  warnOfSave,
  writeMetadata,
} from '../../assign/change.ts';
import { inventory } from '../../assign/inventory.ts';
import { recordMoved } from '../../assign/record.ts';
import { refuseReserved } from '../../assign/reserve.ts';
import type { Context } from '../../host/context.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { type KnownDomain, type Libvirt, pick } from '../../libvirt/libvirt.ts';
import { handOver } from '../../lifecycle/change.ts';
import { format, parsePrefix } from '../../model/address.ts';
import type { Assignment } from '../../model/assignment.ts';
import { type Address, isPrivate } from '../../model/bridge.ts';
import { addressesOf, addressesToKeep, amended, tapsOf } from '../../model/domain.ts';
import { renderAssignment } from '../../model/metadata.ts';
import { equal, overlaps, type Prefix } from '../../model/prefix.ts';
import { asUsage, quote, Refusal, visible } from '../../model/refusal.ts';

/** An address, the two domains, and what each of them has afterwards: the giver perhaps nothing. */
interface Move {
  readonly prefix: Prefix;
  readonly giver: KnownDomain;
  readonly taker: KnownDomain;
  readonly less: Assignment | undefined;
  readonly more: Assignment;
}

/** Hands an address from one domain to another. Where both run, the kernel's route changes hands in one step. */
export function move(text: string, from: string, to: string, context: Context): void {
  const prefix = asUsage(() => parsePrefix(text), 'move');
  changing(context, libvirt => {
    const config = context.config();
    const domains = libvirt.domains();
    const [giver, taker] = [pick(domains, from), pick(domains, to)];
    const rest = restOf(giver, taker, prefix);
    refuseReserved('move', [prefix], taker.domain);
    const held = addressesToKeep(taker.next, 'move an address to');
    const taken = inventory(domains, readNetworkWithUplinks(context.host, config));
    const gained = pin(prefix, config.dhcp.scopes, taken, held[0]);
    const less = rest.length === 0 ? undefined : amended(giver.next, { addresses: rest });
    const more = amended(taker.next, { addresses: [...held, gained] });
    perform(libvirt, { prefix, giver, taker, less, more }, context);
    recordMoved(prefix, giver, taker, context);
    warnOfRules(giver, rest, context);
    const names = `from ${visible(giver.domain.name)} to ${visible(taker.domain.name)}`;
    context.print(`${format(prefix)} moved ${names}, on ${gained.bridge}`);
  });
}

function restOf(giver: KnownDomain, taker: KnownDomain, prefix: Prefix): Address[] {
  const { uuid, name } = giver.domain;
  const fail = (why: string): never => {
    throw new Refusal(`Cannot move ${format(prefix)}: ${why}`);
  };
  if (uuid === taker.domain.uuid) fail(`it would go from ${quote(name)} to itself`);
  const held = addressesOf(giver.next);
  const found = held.find(one => equal(one.prefix, prefix));
  if (found?.via !== undefined)
    fail(`it is routed via ${format(found.via)}; unassign it, and assign it with --via to the other`);
  if (found !== undefined && isPrivate(found))
    fail(
      'it is a private address, which stays with its bridge; hnet assign --private gives one to the other',
    );
  if (found !== undefined) return held.filter(one => !equal(one.prefix, prefix));
  const around = held.find(one => overlaps(one.prefix, prefix));
  if (around !== undefined)
    fail(`${quote(name)} holds it as part of ${format(around.prefix)}, which moves as a whole`);
  return fail(`${quote(name)} holds ${held.map(one => format(one.prefix)).join(', ') || 'nothing'}`);
}

function perform(libvirt: Libvirt, move: Move, context: Context): void {
  const { prefix, giver, taker, less, more } = move;
  const [giving, taking] = [recordOf(giver), recordOf(taker)];
  if (taking === undefined || !giving?.addresses.some(one => equal(one.prefix, prefix))) {
    stepByStep(libvirt, move, context);
    return;
  }
  attempt(
    () => {
      writeMetadata(libvirt, giver, less && renderAssignment(less));
      writeMetadata(libvirt, taker, renderAssignment(more));
      const after = liveAttachment(taker.domain, more, context);
      const taps = tapsOf(taker.domain);
      handOver({ prefix, giver: giving, taker: taking, after, taps }, context.config(), context.host);
    },
    () => {
      restoreMetadata(libvirt, taker);
      restoreMetadata(libvirt, giver);
    },
  );
  for (const known of [giver, taker]) warnOfSave(libvirt, known, context);
}

/** When one of the two isn't running: first the giver loses the address, then the taker gets it. */
function stepByStep(libvirt: Libvirt, { giver, taker, less, more }: Move, context: Context): void {
  changeAssignment(libvirt, giver, less, [], context);
  const [first, ...others] = more.addresses;
  const plugs = first && others.length === 0 ? [{ bridge: first.bridge, mac: undefined }] : [];
  const before = amended(giver.next, {});
  attempt(
    () => changeAssignment(libvirt, taker, more, plugs, context),
    () => changeAssignment(libvirt, libvirt.known(giver.domain.uuid), before, [], context),
  );
}
