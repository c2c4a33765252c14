import { seenElsewhere } from '../../assign/elsewhere.ts';
import { inventory } from '../../assign/inventory.ts';
import { poolUse, type Use } from '../../assign/pools.ts';
import type { Holding } from '../../assign/taken.ts';
import type { Context } from '../../host/context.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { type KnownDomain, withLibvirt } from '../../libvirt/libvirt.ts';
import { format, parseAddress } from '../../model/address.ts';
import { isFact } from '../../model/journal.ts';
import { contains, type Prefix } from '../../model/prefix.ts';
import { asUsage, visible } from '../../model/refusal.ts';
import { forWhom, type Reservation } from '../../model/reservation.ts';
import { type Tenure, tenuresOf } from '../../model/tenure.ts';
import { shownTime } from '../../model/time.ts';
import { thisMoment } from '../../state/journal.ts';
import { readJournal } from '../../state/journal-files.ts';
import { readReservations } from '../../state/reservations.ts';

/** What is known of an address. */
interface Known {
  readonly address: Prefix;
  readonly pool: Prefix | undefined;
  readonly use: Use | undefined;
  readonly owner: KnownDomain | undefined;
  readonly reservation: Reservation | undefined;
  /** Who had it up last, where nobody has it now. */
  readonly last: Tenure | undefined;
}

/** Says who has an address: a domain, the host, or nobody; and who had it last. */
export function whois(text: string, context: Context): void {
  const address = asUsage(() => parseAddress(text), 'look up');
  const known = lookUp(address, context);
  context.answer(answerOf(known));
  for (const line of sentences(known)) context.print(line);
}

function lookUp(address: Prefix, context: Context): Known {
  const { host, config } = context;
  const domains = withLibvirt(libvirt => libvirt.domains());
  const seen = readNetworkWithUplinks(host, config());
  const elsewhere = seenElsewhere(context);
  const reservations = elsewhere?.reservations ?? readReservations();
  const pool = config().pools.find(one => contains(one, address));
  const taken = inventory(domains, seen, config(), elsewhere);
  const uses = pool === undefined ? [] : poolUse(pool, taken, seen.view.routes, reservations).uses;
  const use = uses.find(({ prefix }) => contains(prefix, address));
  const owner = domains.find(({ domain }) => domain.uuid === use?.holding?.domain);
  const reservation = reservations.find(one => contains(one.address, address));
  return { address, pool, use, owner, reservation, last: use?.state === 'up' ? undefined : lastOf(address) };
}

function lastOf(address: Prefix): Tenure | undefined {
  const facts = readJournal()
    .entries.filter(isFact)
    .filter(one => contains(one.address, address));
  const ended = tenuresOf(facts, thisMoment()).filter(
    ({ kind, until }) => kind === 'up' && until !== undefined,
  );
  return ended.sort((a, b) => (a.until ?? '').localeCompare(b.until ?? '')).at(-1);
}

const stateOf = ({ pool, use }: Known): string => (pool === undefined ? 'outside' : (use?.state ?? 'free'));

const macsOn = ({ domain }: KnownDomain, bridge: string): string[] =>
  domain.nics.filter(({ source, mac }) => source === bridge && mac !== '').map(({ mac }) => mac);

function answerOf(known: Known): object {
  const { address, pool, use, owner, reservation, last } = known;
  const holding = use?.holding;
  return {
    address: format(address),
    state: stateOf(known),
    pool: pool === undefined ? null : format(pool),
    domain: holding?.name ?? null,
    uuid: holding?.domain ?? null,
    held: holding === undefined ? null : format(holding.address.prefix),
    bridge: holding?.address.bridge ?? null,
    host: holding?.host ?? use?.peer ?? null,
    macs: owner === undefined || holding === undefined ? [] : macsOn(owner, holding.address.bridge),
    interface: use?.device ?? null,
    reservation: reservation === undefined ? null : { for: reservation.name ?? null },
    last: last === undefined ? null : { domain: last.domain, uuid: last.uuid, until: last.until },
  };
}

function sentences({ address, pool, use, owner, reservation, last }: Known): string[] {
  const text = format(address);
  const kept =
    reservation && use?.reservation === undefined ? [`${text} is reserved ${forWhom(reservation)}`] : [];
  return [`${text}: ${summary(text, pool, use, owner)}`, ...kept, ...(last ? [lastLine(last)] : [])];
}

function summary(
  text: string,
  pool: Prefix | undefined,
  use: Use | undefined,
  owner: KnownDomain | undefined,
): string {
  if (pool === undefined) return 'in no pool of hnet.toml';
  if (use === undefined) return `free, of the pool ${format(pool)}`;
  if (use.holding !== undefined) return holderOf(text, use.holding, owner);
  if (use.reservation !== undefined) return `reserved ${forWhom(use.reservation)}`;
  if (use.peer !== undefined) return `${use.peer}'s own: no domain gets it`;
  return use.device === undefined
    ? "the host's, a gateway's or every router's: no domain gets it"
    : `the host's own, on ${use.device}`;
}

function holderOf(text: string, holding: Holding, owner: KnownDomain | undefined): string {
  const { name, domain, address, host, runs } = holding;
  const part = format(address.prefix) === text ? '' : ` as part of ${format(address.prefix)}`;
  const macs = owner === undefined ? [] : macsOn(owner, address.bridge);
  const by = macs.length === 0 ? '' : `, MAC ${macs.join(', ')}`;
  const state = (runs ?? owner?.active) ? 'running' : 'stopped';
  const where = host === undefined ? '' : ` on ${host}`;
  return `${visible(name)} (${domain}, ${state}${where})${part}, on ${address.bridge}${by}`;
}

const lastLine = ({ domain, uuid, until = '' }: Tenure): string =>
  `last up at ${visible(domain)} (${uuid}), until ${shownTime(until)}; hnet history shows more`;
