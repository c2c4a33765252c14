/** What other hosts of the cluster have, for those who only show it. */
import { type Claim, type Contents, look } from '../cluster/contents.ts';
import { memberOf } from '../cluster/open.ts';
import { ownName } from '../cluster/self.ts';
import type { Context } from '../host/context.ts';
import type { KnownDomain } from '../libvirt/libvirt.ts';
import { addressState } from '../model/address-state.ts';
import { Refusal, reason } from '../model/refusal.ts';

/** What etcd holds; undefined where this host is alone. @throws Refusal if etcd doesn't answer */
export function heldElsewhere({ config, host }: Pick<Context, 'config' | 'host'>): Contents | undefined {
  const cluster = memberOf(config(), host);
  return cluster && look(cluster);
}

/** The same, but of a silent etcd the operator is warned, and nothing is known. */
export function seenElsewhere(context: Pick<Context, 'config' | 'host' | 'warn'>): Contents | undefined {
  try {
    return heldElsewhere(context);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    context.warn(`${reason(error)}; what other hosts have isn't shown`);
    return undefined;
  }
}

/** A domain on another host. */
export interface Elsewhere {
  readonly domain: string;
  readonly uuid: string;
  /** Null: no host is known to have it. */
  readonly host: string | null;
  readonly state: 'running' | 'stopped';
  /** The host to which it is on its way. */
  readonly to: string | null;
  readonly addresses: readonly ReturnType<typeof addressState>[];
}

/** Every domain with an address that isn't here; null where nothing is known of others. @param domains what is here */
export function domainsElsewhere(
  contents: Contents | undefined,
  domains: readonly KnownDomain[],
  { config }: Pick<Context, 'config'>,
): Elsewhere[] | null {
  const { cluster } = config();
  if (cluster === undefined || contents === undefined) return null;
  const { claims, runs, places } = contents;
  const self = ownName(cluster);
  const here = new Set(domains.map(({ domain }) => domain.uuid));
  const byDomain = new Map<string, Claim[]>();
  for (const one of claims) {
    const own = byDomain.get(one.domain);
    if (own === undefined) byDomain.set(one.domain, [one]);
    else own.push(one);
  }
  return [...byDomain].flatMap(([uuid, own]) => {
    const run = runs.get(uuid);
    // A copy of what runs elsewhere is shown where it runs.
    if (here.has(uuid) && (run === undefined || run.host === self)) return [];
    return {
      domain: own[0]?.name ?? '',
      uuid,
      host: (run ?? places.get(uuid))?.host ?? null,
      state: run === undefined ? 'stopped' : 'running',
      to: run?.to ?? null,
      addresses: own.map(addressState),
    };
  });
}
