import { vacancy } from '../../assign/allocate.ts';
import { inventory } from '../../assign/inventory.ts';
import type { Taken } from '../../assign/taken.ts';
import type { Context } from '../../host/context.ts';
import type { Host } from '../../host/host.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { readOnlyDomains } from '../../libvirt/read-only.ts';
import { format } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { addressesOf, type Domain, forwardsOf, policyOf } from '../../model/domain.ts';
import { formatForward } from '../../model/forward-words.ts';
import { parseConfig } from '../../model/parse-config.ts';
import { contains, isAnycast, isSingle, nth, type Prefix, size } from '../../model/prefix.ts';
import { canBeTyped, ifPossible, visible } from '../../model/refusal.ts';
import { readConfigText } from '../../state/config-file.ts';
import { readReservations } from '../../state/reservations.ts';
import { nextRuleWords, type Offer } from '../completion/rule-words.ts';
import type { Kind } from '../tree/words.ts';

/** Whoever presses TAB waits, in milliseconds. */
const LIMIT = 2000;
/** So many addresses of a pool are looked at, and so many offered. */
const SEEN = 4096n;
const OFFERED = 64;

/** What the shell has: the word that is being typed, and the arguments before it. */
interface Typed {
  readonly current: string;
  readonly before: readonly string[];
}

/**
 * Prints the words of a kind that begin with the current one, each with its meaning after a tab. For every user, over
 * libvirt's read-only connection; where it can't look it prints nothing.
 */
export function complete(kind: string, current: string, before: readonly string[], context: Context): void {
  const offers = ifPossible(() => offersOf(kind, { current, before }, context)) ?? [];
  for (const [word, meaning] of offers)
    if (word.startsWith(current)) context.print(meaning === '' ? word : `${word}\t${meaning}`);
}

function offersOf(kind: string, typed: Typed, context: Context): readonly Offer[] {
  if (!isKind(kind)) return [];
  const domains = readOnlyDomains(context.host.within(LIMIT));
  return OFFERS[kind](domains, typed, context);
}

const named = (domains: readonly Domain[]): Offer[] => domains.map(offerOf);

const assigned = (domains: readonly Domain[]): Offer[] =>
  domains.flatMap(domain =>
    addressesOf(domain).map(({ prefix }): Offer => [format(prefix), visible(domain.name)]),
  );

const OFFERS: Readonly<
  Record<Kind, (domains: readonly Domain[], typed: Typed, context: Context) => readonly Offer[]>
> = {
  domains: named,
  holders: domains => domains.filter(one => addressesOf(one).length > 0).map(offerOf),
  free: (domains, { current }, context) => freeOnes(domains, current, context),
  held: (domains, typed) =>
    chosen(domains, typed).flatMap(domain =>
      addressesOf(domain).map(({ prefix, bridge }): Offer => [format(prefix), bridge]),
    ),
  assigned,
  known: domains => [...named(domains), ...assigned(domains)],
  macs: (domains, typed) =>
    chosen(domains, typed).flatMap(({ nics }) =>
      nics
        .filter(({ mac }) => mac !== '')
        .map(({ mac, type, source }): Offer => [mac, `${type} ${source ?? ''}`.trim()]),
    ),
  forwards: (domains, typed) =>
    chosen(domains, typed).flatMap(domain =>
      forwardsOf(domain).map((one): Offer => [formatForward(one), '']),
    ),
  rule: (domains, typed) =>
    chosen(domains, typed).flatMap(domain => nextRuleWords(typed.before.slice(1), policyOf(domain))),
};

const isKind = (kind: string): kind is Kind => Object.hasOwn(OFFERS, kind);

/** The domain that the first argument names; none if there is no such. */
const chosen = (domains: readonly Domain[], { before: [wanted] }: Typed): Domain[] =>
  domains.filter(({ name, uuid }) => name === wanted || uuid === wanted).slice(0, 1);

/** By UUID if its name can't be typed, or would be taken for an option. */
function offerOf(domain: Domain): Offer {
  const { name, uuid } = domain;
  const held =
    addressesOf(domain)
      .map(({ prefix }) => format(prefix))
      .join(', ') || 'no address';
  return canBeTyped(name) ? [name, held] : [uuid, `${visible(name)}: ${held}`];
}

/** The first free addresses of each pool that begin with what was typed. */
function freeOnes(domains: readonly Domain[], current: string, context: Context): Offer[] {
  const config = configFor(context);
  const isFree = vacancy(takenBy(domains, config, context.host));
  // Only root can read them; `assign` refuses a reserved address.
  const reserved = (ifPossible(readReservations) ?? []).map(one => one.address);
  return config.pools.flatMap(pool =>
    firstOf(pool)
      .filter(one => format(one).startsWith(current) && !isAnycast(one, [pool]))
      .filter(one => isFree(one) && !reserved.some(other => contains(other, one)))
      .slice(0, OFFERED)
      .map((one): Offer => [format(one), isSingle(pool) ? '' : `of ${format(pool)}`]),
  );
}

const firstOf = (pool: Prefix): Prefix[] =>
  Array.from({ length: Number(size(pool) < SEEN ? size(pool) : SEEN) }, (_, at) => nth(pool, BigInt(at)));

/** Only root sees which configuration is in force. */
const configFor = ({ config }: Context): Config =>
  ifPossible(config) ?? { ...parseConfig(readConfigText()), inForce: [] };

function takenBy(domains: readonly Domain[], config: Config, host: Host): Taken {
  const known = domains.map(domain => ({ domain, persistent: undefined, next: domain, active: false }));
  return inventory(known, readNetworkWithUplinks(host.within(LIMIT), config), config);
}
