/** What the other hosts of a cluster have. */
import { domainsElsewhere, type Elsewhere, seenElsewhere } from '../../assign/elsewhere.ts';
import type { Contents } from '../../cluster/contents.ts';
import { ownName } from '../../cluster/self.ts';
import type { Context } from '../../host/context.ts';
import type { KnownDomain } from '../../libvirt/libvirt.ts';

/** After what time a silent etcd is asked again, in milliseconds: each time nothing else is seen for seconds. */
const SILENCE = 15_000;

/** Reads it for each look. While etcd is silent what was read last still holds, for nobody can change it. */
export class Neighbourhood {
  #contents: Contents | undefined;
  #silentUntil = 0;

  /** Undefined where this host is alone, or etcd has never answered. */
  look(context: Context): Contents | undefined {
    if (Date.now() < this.#silentUntil) return this.#contents;
    let isSilent = false;
    const warn = (): void => {
      isSilent = true;
    };
    const found = seenElsewhere({ config: context.config, host: context.host, warn });
    if (isSilent) this.#silentUntil = Date.now() + SILENCE;
    else this.#contents = found;
    return this.#contents;
  }
}

/** The domains among it that aren't here, in the same words as `hnet status --all`; null where nothing is known of others. */
export function elsewhereShown(
  contents: Contents | undefined,
  domains: readonly KnownDomain[],
  context: Context,
): Elsewhere[] | null {
  const { cluster } = context.config();
  if (cluster === undefined || contents === undefined) return null;
  const here = new Set(domains.map(({ domain }) => domain.uuid));
  return domainsElsewhere(contents, ownName(cluster), uuid => here.has(uuid));
}
