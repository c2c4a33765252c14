/**
 * What iptables needs for addresses that aren't like most. Its sets hold single addresses and subnets together, so a lookup
 * tells nothing of which it was: see `particular` in sets.ts, and the chain for subnets.
 */
import { parsePrefix } from '../../model/address.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { entriesOf, type FilterView, type View } from '../../model/view.ts';
import type { Action } from '../../resources/action.ts';
import { ABSENT, PRESENT, type Resource } from '../../resources/resource.ts';
import { destination, go, rule } from '../rules/rules.ts';
import { lookCloser, SUBNETS, setNames } from '../rules/sets.ts';
import { declare, restore } from './chain.ts';
import { entries } from './sets.ts';
import { renderRule, tableKey, targetOf } from './text.ts';

/** Makes packets to a subnet meet its limit; nothing where they do. The rule stays for the next subnet. */
export function limitSubnets(family: Family, { chains }: FilterView): Action[] {
  const targets = chains.get(`${tableKey('mangle', family)} ${SUBNETS}`)?.map(({ text }) => targetOf(text));
  if (targets?.length === 1 && targets[0] === LIMIT) return [];
  const lines = renderRule(rule(go(LIMIT), destination(setNames(family).held)), family);
  return [restore('mangle', family, [declare(SUBNETS), ...lines.map(line => `-A ${SUBNETS} ${line}`)])];
}

const LIMIT = 'hnet-held';

/** Whether a look at the rules tells all that a start has to know: not after an upgrade from versions without the set. */
export const knowsParticulars = (families: readonly Family[], { sets }: FilterView): boolean =>
  families.every(family => sets.has(setNames(family).particular) || !sets.has(setNames(family).tracked));

/** After such an upgrade the addresses of domains that run are in the other sets only. */
export function inherited(family: Family): Resource {
  const { particular, tracked, held, out } = setNames(family);
  const missing = ({ filter }: View): Prefix[] => {
    if (filter.sets.get(particular) === 'unread') return [];
    const [known, public_, ...others] = [particular, out, tracked, held].map(name => entriesOf(filter, name));
    const all = others.flatMap(contents => [...contents.keys()]);
    return all.filter(entry => public_?.has(entry) && !known?.has(entry)).map(parsePrefix);
  };
  return {
    key: `inherited ${particular}`,
    label: `addresses of domains in ${particular}`,
    probe: view => (missing(view).length === 0 ? PRESENT : ABSENT),
    up: view => missing(view).flatMap(prefix => lookCloser(prefix, entries)),
    down: () => [],
  };
}
