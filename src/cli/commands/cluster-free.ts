import { dropClaims } from '../../cluster/claims.ts';
import { type Claim, look } from '../../cluster/contents.ts';
import { nobodys } from '../../cluster/leave.ts';
import type { Context } from '../../host/context.ts';
import { format } from '../../model/address.ts';
import { quote, Refusal } from '../../model/refusal.ts';
import { confirm } from '../ask.ts';
import { requireCluster } from './require-cluster.ts';

/** Gives back what is claimed for a domain that no host has. @param wanted its UUID, its name, or one of its addresses */
export function freeClaims(wanted: string, { yes = false }: { yes?: boolean }, fresh: () => Context): void {
  const claims = pickClaims(wanted, fresh());
  const [first] = claims;
  const what = `${claims.map(({ prefix }) => format(prefix)).join(', ')} of ${quote(first.name)}`;
  if (!yes)
    confirm(
      `free ${what}`,
      `No host has ${quote(first.name)}. Free ${what}?`,
      'nobody can be asked here; say --yes',
    );
  // An answer may take long, and the deadline of a context begins with it.
  const context = fresh();
  if (!dropClaims(requireCluster(context, 'free claims'), claims))
    throw new Refusal(`Cannot free ${what}: it has changed meanwhile; hnet cluster status shows it`);
  context.print(`${what} freed: any host may assign it`);
  context.answer({
    domain: first.name,
    uuid: first.domain,
    freed: claims.map(({ prefix }) => format(prefix)),
  });
}

function pickClaims(wanted: string, context: Context): readonly [Claim, ...Claim[]] {
  const seen = look(requireCluster(context, 'free claims'));
  const all = [...nobodys(seen)];
  const isMeant = ([uuid, claims]: readonly [string, readonly Claim[]]): boolean =>
    uuid === wanted || claims.some(({ name, prefix }) => name === wanted || format(prefix) === wanted);
  const [found, ...more] = all.filter(isMeant).map(([, claims]) => claims);
  if (more.length > 0)
    throw new Refusal(
      `Cannot free ${quote(wanted)}: ${more.length + 1} domains are called so; name one by its UUID`,
    );
  const [first, ...others] = found ?? [];
  if (first !== undefined) return [first, ...others];
  const held = seen.claims.find(
    one => one.domain === wanted || one.name === wanted || format(one.prefix) === wanted,
  );
  const why =
    held === undefined
      ? 'nothing is claimed for it'
      : `${seen.runs.get(held.domain)?.host ?? seen.places.get(held.domain)?.host} has this domain; hnet unassign there releases it`;
  throw new Refusal(`Cannot free ${quote(wanted)}: ${why}`);
}
